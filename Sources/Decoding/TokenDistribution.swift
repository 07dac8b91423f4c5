import Basics
import Kernels

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

extension Failure {
    /// Logits that are not numbers, as broken or overflowing weights give.
    static var unusableLogits: Failure {
        Failure(
            .failed,
            "the model's logits are not finite numbers",
            remedy: "Check the weights: compare their digests with the publisher's."
        )
    }
}

extension LogitSummary {
    /// Summarizes a row for drawing with some parameters.
    ///
    /// - Throws: `Failure` when the row holds no usable number.
    init(_ logits: Buffer<Float>, for parameters: SamplingParameters) throws {
        self.init(logits, temperature: parameters.temperature > 0 ? parameters.temperature : 1)
        guard isUsable else { throw Failure.unusableLogits }
    }
}

extension TokenDistribution {
    /// Applies temperature, top-k, top-p and min-p, in this order, to a row of logits.
    ///
    /// Top-p keeps the most likely tokens, the lower id first among equals, until their share of
    /// what top-k left reaches `topP`. Vocabularies have 150,000 tokens and a draw considers a
    /// handful of them, so tokens are first selected by a threshold and only the selected are
    /// sorted. Every sum is added in one fixed order: equal logits give equal draws, whatever else
    /// is being decoded.
    ///
    /// - Precondition: The summary was taken for these parameters.
    /// - Parameters:
    ///   - row: The logits, without padding.
    ///   - parameters: How to draw.
    init(_ row: LogitSummary, _ parameters: SamplingParameters) {
        guard parameters.temperature > 0 else {
            self.init(tokens: [Int32(row.indexOfGreatest)], weights: [1])
            return
        }
        precondition(
            row.temperature == parameters.temperature,
            "TokenDistribution: a summary at \(row.temperature) for \(parameters.temperature)"
        )
        var kept: [Candidate]
        if let topK = parameters.topK, topK < row.logits.count {
            kept = Candidate.largest(topK, of: row)
            if parameters.topP < 1 {
                let total = kept.reduce(0.0) { $0 + Double($1.weight) }
                kept.cut(reaching: parameters.topP * total)
            }
        } else if parameters.topP < 1 {
            kept = Candidate.nucleus(parameters.topP, of: row)
        } else if parameters.minP > 0 {
            let share = parameters.minP / row.temperedSum
            // A hair lower, so that rounding leaves out nothing; the exact cut comes below.
            kept = Candidate.all(of: row, atLeast: row.logit(ofShare: share * (1 - 1e-5)))
        } else {
            kept = Candidate.all(of: row, atLeast: -.infinity)
        }
        if parameters.minP > 0 {
            let floor = Float(parameters.minP) * kept.reduce(0) { max($0, $1.weight) }
            kept.removeAll { $0.weight < floor }
        }
        kept.sort { $0.token < $1.token }
        self.init(tokens: kept.map(\.token), weights: kept.map(\.weight))
    }
}

/// A token that a filter may still drop.
private struct Candidate {
    var token: Int32
    var weight: Float

    /// More likely first; the lower id first among equals.
    static func precedes(_ a: Candidate, _ b: Candidate) -> Bool {
        a.weight != b.weight ? a.weight > b.weight : a.token < b.token
    }

    /// All tokens of positive weight whose logit is at least `floor`, in order of id.
    static func all(of row: LogitSummary, atLeast floor: Float) -> [Candidate] {
        let tokens = row.indices(atLeast: floor)
        return zip(tokens, row.weights(of: tokens)).compactMap { token, weight in
            weight > 0 ? Candidate(token: token, weight: weight) : nil
        }
    }

    /// The `count` most likely tokens of positive weight, most likely first.
    static func largest(_ count: Int, of row: LogitSummary) -> [Candidate] {
        var kept = all(of: row, atLeast: row.logit(reachedBy: count))
        kept.sort(by: precedes)
        kept.removeLast(max(0, kept.count - count))
        return kept
    }

    /// The smallest set of most likely tokens whose probability reaches `mass`.
    ///
    /// Tokens below `(1 - mass) / vocabulary` weigh less than `1 - mass` together, so the others
    /// suffice; a far higher threshold usually does, and leaves fewer to sort.
    static func nucleus(_ mass: Double, of row: LogitSummary) -> [Candidate] {
        let goal = mass * row.temperedSum
        let count = Double(row.logits.count)
        for divisor in [32, 1024, 32_768, count] where divisor <= count {
            var kept = all(of: row, atLeast: row.logit(ofShare: (1 - mass) / divisor))
            // Added in any order, the weights tell whether sorting them is worth while.
            guard kept.reduce(0.0, { $0 + Double($1.weight) }) >= goal * (1 - 1e-9) else {
                continue
            }
            kept.sort(by: precedes)
            if kept.cut(reaching: goal) { return kept }
        }
        // Rounding alone can bring us here: the weights add up to a little less than the goal.
        var kept = all(of: row, atLeast: -.infinity)
        kept.sort(by: precedes)
        kept.cut(reaching: goal)
        return kept
    }
}

extension [Candidate] {
    /// Keeps as many of the leading candidates as it takes to reach `mass`; all where they do not,
    /// and then returns false.
    @discardableResult
    fileprivate mutating func cut(reaching mass: Double) -> Bool {
        var sum = 0.0
        for index in indices {
            sum += Double(self[index].weight)
            if sum >= mass {
                removeLast(count - index - 1)
                return true
            }
        }
        return false
    }
}
