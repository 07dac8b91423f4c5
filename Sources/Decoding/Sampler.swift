import Files
import Kernels

/// Turns rows of logits into probabilities and into distributions to draw from.
///
/// Vocabularies have 150,000 tokens and a draw considers a handful of them, so tokens are first
/// selected by a threshold and only the selected are sorted. Every sum is added in one fixed order:
/// equal logits give equal draws, whatever else is being decoded.
///
/// Holds scratch rows; one sampler serves one thread at a time.
struct Sampler: Sendable {
    /// Rows of probabilities, reused from call to call.
    private var rows: [Buffer<Float>] = []

    /// The softmax of `logits / temperature`, in scratch row `row`.
    ///
    /// - Parameters:
    ///   - logits: `[vocabulary]`, without padding.
    ///   - temperature: Positive.
    ///   - row: Which scratch row to write; the view holds until that row is written again.
    /// - Returns: `[logits.count]`.
    mutating func probabilities(
        _ logits: Buffer<Float>,
        temperature: Double = 1,
        row: Int
    ) -> Buffer<Float> {
        while rows.count <= row { rows.append(Buffer(count: logits.count)) }
        if rows[row].count < logits.count { rows[row] = Buffer(count: logits.count) }
        let view = rows[row][0..<logits.count]
        Kernels.probabilities(logits, temperature: Float(temperature), into: view)
        return view
    }

    /// The distribution that the parameters make of a row of logits.
    ///
    /// - Parameters:
    ///   - logits: `[vocabulary]`, without padding.
    ///   - parameters: How to draw.
    ///   - row: A scratch row that may be overwritten.
    /// - Returns: The tokens that may be drawn.
    /// - Throws: `Failure` when the logits hold no usable number.
    mutating func distribution(
        _ logits: Buffer<Float>,
        _ parameters: SamplingParameters,
        row: Int
    ) throws -> TokenDistribution {
        guard parameters.temperature > 0 else {
            return TokenDistribution(tokens: [try Self.mostLikely(logits)], weights: [1])
        }
        let softmax = probabilities(logits, temperature: parameters.temperature, row: row)
        return try TokenDistribution(probabilities: softmax, parameters)
    }

    /// The id of the largest logit, the lowest id among equals.
    ///
    /// - Returns: An index into `logits`.
    /// - Throws: `Failure` when a logit is not a number, or none is finite.
    static func mostLikely(_ logits: Buffer<Float>) throws -> Int32 {
        let best = logits.withSpan { span -> Int in
            var (best, value) = (-1, -Float.infinity)
            for index in span.indices {
                let logit = span[index]
                if logit > value { (best, value) = (index, logit) }
                if logit.isNaN { return -1 }
            }
            return best
        }
        guard best >= 0 else { throw Failure.unusableLogits }
        return Int32(best)
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

extension TokenDistribution {
    /// Applies top-k, top-p and min-p, in this order, to a row of probabilities.
    ///
    /// Top-p keeps the most likely tokens, the lower id first among equals, until their share of
    /// what top-k left reaches `topP`. The temperature has been applied already.
    ///
    /// - Parameters:
    ///   - probabilities: A softmax, `[vocabulary]`.
    ///   - parameters: The filters.
    /// - Throws: `Failure` when no probability is positive.
    public init(probabilities: Buffer<Float>, _ parameters: SamplingParameters) throws {
        var kept: [Candidate]
        if let topK = parameters.topK, topK < probabilities.count {
            kept = Candidate.largest(topK, of: probabilities)
            if parameters.topP < 1 {
                let total = kept.reduce(0.0) { $0 + Double($1.weight) }
                kept.removeLast(
                    kept.count - (kept.count(reaching: parameters.topP * total) ?? kept.count)
                )
            }
        } else if parameters.topP < 1 {
            kept = Candidate.nucleus(parameters.topP, of: probabilities)
        } else if parameters.minP > 0 {
            let most = probabilities.withSpan { span in
                var most: Float = 0
                for index in span.indices { most = max(most, span[index]) }
                return most
            }
            kept = Candidate.atLeast(Float(parameters.minP) * most, of: probabilities)
        } else {
            kept = Candidate.atLeast(0, of: probabilities)
        }
        if parameters.minP > 0 {
            let floor = Float(parameters.minP) * kept.reduce(0) { max($0, $1.weight) }
            kept.removeAll { $0.weight < floor }
        }
        guard !kept.isEmpty else { throw Failure.unusableLogits }
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

    /// All tokens of positive weight that is at least `floor`, in order of id.
    static func atLeast(_ floor: Float, of probabilities: Buffer<Float>) -> [Candidate] {
        probabilities.withSpan { span in
            var kept: [Candidate] = []
            for index in span.indices {
                let weight = span[index]
                if weight >= floor && weight > 0 {
                    kept.append(Candidate(token: Int32(index), weight: weight))
                }
            }
            return kept
        }
    }

    /// The `count` most likely tokens of positive weight, most likely first.
    ///
    /// One pass. The list is cut back to `count` whenever it has doubled, which raises the bar for
    /// what follows: after the first few hundred tokens hardly any passes it.
    static func largest(_ count: Int, of probabilities: Buffer<Float>) -> [Candidate] {
        probabilities.withSpan { span in
            var kept: [Candidate] = []
            let capacity = max(2 * count, 64)
            kept.reserveCapacity(capacity)
            var floor: Float = 0
            for index in span.indices {
                let weight = span[index]
                // Equal to the last one kept is not enough: that one has the lower id.
                guard weight > floor else { continue }
                kept.append(Candidate(token: Int32(index), weight: weight))
                if kept.count == capacity {
                    kept.sort(by: precedes)
                    kept.removeLast(capacity - count)
                    floor = kept[count - 1].weight
                }
            }
            kept.sort(by: precedes)
            if kept.count > count { kept.removeLast(kept.count - count) }
            return kept
        }
    }

    /// The smallest set of most likely tokens whose probability reaches `mass`.
    ///
    /// Tokens below `(1 - mass) / vocabulary` weigh less than `1 - mass` together, so the others
    /// suffice; a far higher threshold usually does, and leaves fewer to sort.
    static func nucleus(_ mass: Double, of probabilities: Buffer<Float>) -> [Candidate] {
        let rest = 1 - mass
        let count = Double(probabilities.count)
        for divisor in [32, 1024, 32_768, count] where divisor <= count {
            let floor = rest / divisor
            var kept = atLeast(Float(floor), of: probabilities)
            guard kept.mayReach(mass) else { continue }
            kept.sort(by: precedes)
            if let count = kept.count(reaching: mass) {
                kept.removeLast(kept.count - count)
                return kept
            }
        }
        // Rounding alone can bring us here: the probabilities add up to a little less than `mass`.
        var kept = atLeast(0, of: probabilities)
        kept.sort(by: precedes)
        kept.removeLast(kept.count - (kept.count(reaching: mass) ?? kept.count))
        return kept
    }
}

extension [Candidate] {
    /// Whether the weights, added in any order, come near `mass`; spares a sort.
    fileprivate func mayReach(_ mass: Double) -> Bool {
        reduce(0.0) { $0 + Double($1.weight) } >= mass - 1e-9
    }

    /// How many of the leading candidates it takes to reach `mass`; nil if all do not.
    fileprivate func count(reaching mass: Double) -> Int? {
        var sum = 0.0
        for index in indices {
            sum += Double(self[index].weight)
            if sum >= mass { return index + 1 }
        }
        return nil
    }
}
