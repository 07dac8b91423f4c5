/// When a sequence is finished.
public struct StopRules: Sendable {
    /// Tokens that end a turn, themselves part of the result.
    public var endOfTurn: Set<Int32>
    /// The most tokens to generate.
    public var maxNewTokens: Int
    /// The most tokens of prompt and result together, in any of the models.
    public var maxTotalTokens: Int

    /// Sets the rules; without a limit sequences end by themselves only.
    ///
    /// - Precondition: At least one new token is allowed.
    public init(
        endOfTurn: Set<Int32>,
        maxNewTokens: Int = .max,
        maxTotalTokens: Int = .max
    ) {
        precondition(maxNewTokens > 0, "StopRules: maxNewTokens is \(maxNewTokens)")
        self.endOfTurn = endOfTurn
        self.maxNewTokens = maxNewTokens
        self.maxTotalTokens = maxTotalTokens
    }

    /// How long prompt and result may become together.
    public func longestSequence(afterPrompt length: Int) -> Int {
        let (sum, overflow) = length.addingReportingOverflow(maxNewTokens)
        return min(overflow ? .max : sum, max(maxTotalTokens, length))
    }
}

/// Why a sequence is finished.
public enum FinishReason: String, Sendable, Hashable {
    /// It ends with an end-of-turn token.
    case endOfTurn
    /// It has as many new tokens as allowed.
    case maxNewTokens
    /// With its prompt it is as long as allowed.
    case maxTotalTokens
    /// The prompt leaves no room for a single token.
    case promptTooLong

    /// Whether a limit cut the sequence off.
    public var isTruncated: Bool {
        switch self {
        case .endOfTurn: false
        case .maxNewTokens, .maxTotalTokens, .promptTooLong: true
        }
    }
}
