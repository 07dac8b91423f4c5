/// When a sequence is finished.
public struct StopRules: Sendable {
    /// Tokens that end a turn, themselves part of the result.
    public var endOfTurn: Set<Int32>
    /// The most tokens to generate.
    public var maxNewTokens: Int
    /// The most tokens of prompt and result together, in any of the models.
    public var maxTotalTokens: Int
    /// Byte sequences whose appearance in the result ends it, wherever tokens are cut.
    public var stopStrings: [[UInt8]]
    /// The bytes of each recorded token, indexed by id; needed for stop strings only.
    public var tokenBytes: [[UInt8]]

    /// Sets the rules; the limits are the paper's unless told otherwise.
    ///
    /// - Precondition: At least one new token is allowed; stop strings are not empty and come with
    ///   `tokenBytes`.
    public init(
        endOfTurn: Set<Int32>,
        maxNewTokens: Int = 7168,
        maxTotalTokens: Int = 8192,
        stopStrings: [[UInt8]] = [],
        tokenBytes: [[UInt8]] = []
    ) {
        precondition(maxNewTokens > 0, "StopRules: maxNewTokens is \(maxNewTokens)")
        precondition(stopStrings.allSatisfy { !$0.isEmpty }, "StopRules: an empty stop string")
        precondition(
            stopStrings.isEmpty || !tokenBytes.isEmpty,
            "StopRules: stop strings need token bytes"
        )
        self.endOfTurn = endOfTurn
        self.maxNewTokens = maxNewTokens
        self.maxTotalTokens = maxTotalTokens
        self.stopStrings = stopStrings
        self.tokenBytes = tokenBytes
    }

    /// The bytes of a token; none for an id outside the table.
    func bytes(of token: Int32) -> [UInt8] {
        tokenBytes.indices.contains(Int(token)) ? tokenBytes[Int(token)] : []
    }
}

/// Why a sequence is finished.
public enum FinishReason: String, Sendable, Hashable, Codable {
    /// It ends with an end-of-turn token.
    case endOfTurn
    /// A stop string appeared.
    case stopString
    /// It has as many new tokens as allowed.
    case maxNewTokens
    /// With its prompt it is as long as allowed.
    case maxTotalTokens
    /// The prompt leaves no room for a single token.
    case promptTooLong

    /// Whether a limit cut the sequence off.
    public var isTruncated: Bool {
        switch self {
        case .endOfTurn, .stopString: false
        case .maxNewTokens, .maxTotalTokens, .promptTooLong: true
        }
    }
}

/// Finds stop strings in bytes that arrive token by token.
struct StopStringMatcher {
    /// The latest bytes, one fewer than the longest stop string: a match may begin there.
    private var tail: [UInt8] = []

    /// Reads a token's bytes and tells which stop string they complete: the one that ends first,
    /// and of those the first listed.
    mutating func append(_ bytes: [UInt8], stopStrings: [[UInt8]]) -> Int? {
        let keep = (stopStrings.map(\.count).max() ?? 0) - 1
        guard keep >= 0 else { return nil }
        for byte in bytes {
            tail.append(byte)
            for (index, string) in stopStrings.enumerated()
            where tail.count >= string.count && tail.suffix(string.count).elementsEqual(string) {
                return index
            }
            if tail.count > keep { tail.removeFirst(tail.count - keep) }
        }
        return nil
    }
}
