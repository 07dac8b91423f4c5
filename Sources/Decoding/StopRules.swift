import Records

/// When a sequence is finished.
public struct StopRules: Sendable {
    /// Tokens that end a turn, themselves part of the result.
    public var endOfTurn: Set<Int32>
    /// Tokens that end a sequence otherwise, such as that of a text; part of the result too.
    public var endOfText: Set<Int32>
    /// The most tokens to generate.
    public var maxNewTokens: Int
    /// The most tokens of prompt and result together, in any of the models.
    public var maxTotalTokens: Int

    /// Sets the rules; without a limit sequences end by themselves only.
    ///
    /// - Precondition: At least one new token is allowed.
    public init(
        endOfTurn: Set<Int32>,
        endOfText: Set<Int32> = [],
        maxNewTokens: Int = .max,
        maxTotalTokens: Int = .max
    ) {
        precondition(maxNewTokens > 0, "StopRules: maxNewTokens is \(maxNewTokens)")
        self.endOfTurn = endOfTurn
        self.endOfText = endOfText
        self.maxNewTokens = maxNewTokens
        self.maxTotalTokens = maxTotalTokens
    }

    /// Why a sequence ends with a token, first of all because its turn does; nil where it goes on.
    func end(with token: Int32) -> StopReason? {
        if endOfTurn.contains(token) { return .endOfTurn }
        return endOfText.contains(token) ? .endOfText : nil
    }

    /// How long prompt and result may become together.
    public func longestSequence(afterPrompt length: Int) -> Int {
        let (sum, overflow) = length.addingReportingOverflow(maxNewTokens)
        return min(overflow ? .max : sum, max(maxTotalTokens, length))
    }
}
