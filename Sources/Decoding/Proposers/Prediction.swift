import Basics
import Kernels

/// What a proposer says about the token at one position, in its own numbering.
///
/// Probabilities are those of its raw softmax at temperature 1, before any filter.
public enum Prediction: Sendable {
    /// The logits of every token, `[vocabulary]`; rows of padding may follow.
    case logits(Buffer<Float>)
    /// The most likely tokens, in any order, and the natural logarithms of their probabilities.
    case top([(token: Int32, logProbability: Float)])
    /// One token that the proposer has drawn itself, and its probability.
    case sampled(token: Int32, probability: Float)
}

/// A prediction prepared for drawing: what proposals come from, and how likely each token is.
struct ProposalSource: Sendable {
    /// What proposals are drawn from, before tokens are left out that the other side lacks.
    let distribution: TokenDistribution
    private let known: Known

    /// The raw probabilities that are known.
    private enum Known: Sendable {
        case all(LogitSummary)
        case some([Int32: Float])
    }

    /// Applies sampling parameters to what a proposer said.
    ///
    /// With the n most likely tokens the result is exact if top-k keeps at most n; otherwise what
    /// lies below them is left out. A sampled token was drawn with the proposer's parameters.
    /// - Throws: `Failure` for logits and probabilities that are not numbers, for ids outside the
    ///   vocabulary, and for an empty list of tokens.
    init(_ prediction: Prediction, _ parameters: SamplingParameters, vocabularySize: Int) throws {
        func check(_ token: Int32, _ isProbability: Bool) throws {
            guard (0..<vocabularySize).contains(Int(token)), isProbability else {
                throw Failure(
                    .failed,
                    "the proposer gives token \(token) with a probability outside 0 to 1, or "
                        + "outside its vocabulary of \(vocabularySize)",
                    remedy: "Check that the proposer's tokenizer is the teacher's."
                )
            }
        }
        switch prediction {
        case .logits(let logits):
            let row = try LogitSummary(logits.first(vocabularySize), for: parameters)
            distribution = TokenDistribution(row, parameters)
            known = .all(row)
        case .top(let tokens):
            guard !tokens.isEmpty else {
                throw Failure(.failed, "the proposer gives no token; expected at least one")
            }
            let sorted = tokens.sorted { $0.token < $1.token }
            for (token, logarithm) in sorted { try check(token, logarithm <= 1e-3) }
            let row = try LogitSummary(Buffer(sorted.map(\.logProbability)), for: parameters)
            let kept = TokenDistribution(row, parameters)
            distribution = TokenDistribution(
                tokens: kept.tokens.map { sorted[Int($0)].token },
                weights: kept.weights
            )
            let probabilities = sorted.map { token, logarithm in
                (token, Float(Elementary.exp(Double(logarithm))))
            }
            known = .some(Dictionary(probabilities) { first, _ in first })
        case .sampled(let token, let probability):
            try check(token, probability >= 0 && probability <= 1.001)
            distribution = TokenDistribution(tokens: [token], weights: [1])
            known = .some([token: probability])
        }
    }

    /// The raw probability of a token; nil where the proposer did not tell.
    func probability(of token: Int32) -> Float? {
        switch known {
        case .all(let row): row.probability(of: Int(token))
        case .some(let probabilities): probabilities[token]
        }
    }
}
