/// The tokens that may be drawn at one position, and how likely each is.
public struct TokenDistribution: Sendable, Hashable {
    /// Token ids in increasing order.
    public let tokens: [Int32]
    /// The weight of each token, positive, not yet divided by `total`.
    public let weights: [Float]
    /// The sum of the weights, added in order of token id.
    public let total: Double

    /// Pairs ids with weights.
    ///
    /// - Precondition: As many weights as tokens; ids increase.
    public init(tokens: [Int32], weights: [Float]) {
        precondition(
            tokens.count == weights.count,
            "TokenDistribution: \(tokens.count) tokens, \(weights.count) weights"
        )
        self.tokens = tokens
        self.weights = weights
        var total = 0.0
        for weight in weights { total += Double(weight) }
        self.total = total
    }

    /// Whether there is nothing to draw.
    public var isEmpty: Bool { tokens.isEmpty }

    /// The index at which the running sum of the weights first exceeds `uniform` times `total`.
    ///
    /// - Precondition: The distribution is not empty.
    /// - Parameter uniform: In [0, 1).
    /// - Returns: An index into `tokens`.
    public func index(at uniform: Double) -> Int {
        precondition(!isEmpty, "TokenDistribution: a draw from nothing")
        let target = uniform * total
        var sum = 0.0
        for index in weights.indices {
            sum += Double(weights[index])
            if sum > target { return index }
        }
        return weights.count - 1
    }

    /// Draws a token by inverting the cumulative distribution, in order of token id.
    ///
    /// - Precondition: The distribution is not empty.
    /// - Parameter uniform: In [0, 1).
    /// - Returns: The token's id.
    public func token(at uniform: Double) -> Int32 { tokens[index(at: uniform)] }

    /// The probability of a token, 0 if it cannot be drawn.
    public func probability(of token: Int32) -> Double {
        position(of: token).map { Double(weights[$0]) / total } ?? 0
    }

    /// Whether the token can be drawn.
    public func contains(_ token: Int32) -> Bool { position(of: token) != nil }

    /// The distribution given that the token satisfies a condition; empty if none does.
    public func restricted(to isAllowed: (Int32) -> Bool) -> TokenDistribution {
        guard !tokens.allSatisfy(isAllowed) else { return self }
        let kept = tokens.indices.filter { isAllowed(tokens[$0]) }
        return TokenDistribution(
            tokens: kept.map { tokens[$0] },
            weights: kept.map { weights[$0] }
        )
    }

    /// Where the token stands, by bisection.
    private func position(of token: Int32) -> Int? {
        var (low, high) = (0, tokens.count)
        while low < high {
            let middle = (low + high) / 2
            if tokens[middle] < token { low = middle + 1 } else { high = middle }
        }
        return low < tokens.count && tokens[low] == token ? low : nil
    }
}
