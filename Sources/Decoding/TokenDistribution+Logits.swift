import Basics
import Kernels

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
