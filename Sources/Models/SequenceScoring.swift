import Autograd
import Basics
import Kernels

/// Scores given tokens under a model without a tape, a few rows of logits at a time.
public struct SequenceScoring {
    /// The most logits held at once, unless told otherwise: 64 MiB of float32.
    static let logitBudget = 1 << 24

    private let model: LanguageModel
    private let rowsPerPass: Int

    /// Prepares to score; `rowsPerPass` changes speed and memory, never the scores.
    public init(_ model: LanguageModel, rowsPerPass: Int? = nil) {
        self.model = model
        let fitting = Self.logitBudget / model.configuration.vocabularySize
        self.rowsPerPass = rowsPerPass ?? min(LanguageModel.rowsPerPass, max(1, fitting))
    }

    /// Token ids of a file, checked against the model's vocabulary.
    ///
    /// - Throws: `Failure.badData` for an id that the model has no row for.
    public func checked(_ ids: [Int]) throws -> [Int32] {
        let limit = model.configuration.vocabularySize
        return try ids.enumerated().map { index, id in
            guard (0..<limit).contains(id) else {
                throw Failure(
                    .badData,
                    at: "'ids', position \(index)",
                    "found \(id); expected ids from 0 to \(limit - 1)"
                )
            }
            return Int32(id)
        }
    }

    /// What a model says of a sequence.
    public struct Scores: Equatable, Sendable {
        /// Natural-log probability of `ids[i + 1]` after `ids[...i]`, `[ids.count - 1]`; over all
        /// rows of the output head, as the reference implementations have it.
        public var logProbabilities: [Float] = []
        /// The most likely token behind each position, the lowest id among equals, `[ids.count]`.
        public var argmax: [Int32] = []

        /// The scores of no tokens.
        public init() {}
    }

    /// Scores a whole sequence.
    public func score(_ ids: [Int32]) -> Scores {
        var scores = Scores()
        forEachPass(over: ids, from: 0) { logits, rows in
            // The last row of all predicts a token that is not there.
            let targets = rows.map { $0 + 1 < ids.count ? ids[$0 + 1] : -1 }
            let losses = Buffer<Float>(count: rows.count)
            crossEntropy(
                logits: logits,
                rows: rows.count,
                targets: targets,
                losses: losses,
                logSumExp: Buffer(count: rows.count)
            )
            let known = min(rows.upperBound, ids.count - 1) - rows.lowerBound
            scores.logProbabilities += losses.array.prefix(known).map { -$0 }
            scores.argmax += Self.argmax(logits, rows: rows.count)
        }
        return scores
    }

    /// The probability of each completion token after what comes before it.
    ///
    /// Raw softmax over real tokens, padding rows left out, as decoding has it.
    /// - Precondition: The prompt is not empty.
    /// - Returns: `[completion.count]`.
    /// - Throws: `Failure.badData` for a token that the model does not have.
    public func probabilities(of completion: [Int32], after prompt: [Int32]) throws -> [Float] {
        try map(completion, after: prompt) { row, token in
            LogitSummary(row).probability(of: Int(token))
        }
    }

    /// The rank of each completion token after what comes before it: 1 for the most likely one, the
    /// same for equals, at most `highest`.
    ///
    /// Over real tokens, padding rows left out.
    /// - Precondition: The prompt is not empty.
    /// - Returns: `[completion.count]`.
    /// - Throws: `Failure.badData` for a token that the model does not have.
    public func ranks(of completion: [Int32], after prompt: [Int32], highest: Int) throws -> [Int] {
        try map(completion, after: prompt) { row, token in
            let own = row[Int(token)]
            return row.withSpan { logits in
                var rank = 1
                for index in logits.indices where logits[index] > own { rank += 1 }
                return min(rank, highest)
            }
        }
    }

    /// Asks something of the logits of real tokens that each completion token is predicted by.
    ///
    /// - Throws: `Failure.badData` for a token that the model does not have.
    private func map<Result>(
        _ completion: [Int32],
        after prompt: [Int32],
        _ ask: (_ row: Buffer<Float>, _ token: Int32) -> Result
    ) throws -> [Result] {
        precondition(!prompt.isEmpty, "SequenceScoring: the prompt is empty")
        let tokens = prompt + completion
        try model.check(tokens)
        var results: [Result] = []
        // The row of a token predicts the one after it, so the last one is not needed.
        forEachPass(over: Array(tokens.dropLast()), from: prompt.count - 1) { logits, rows in
            let columns = logits.count / rows.count
            for (index, position) in rows.enumerated() {
                let first = index * columns
                let row = logits[first..<first + model.vocabularySize]
                results.append(ask(row, tokens[position + 1]))
            }
        }
        return results
    }

    /// Runs tokens through the model and hands out the logits behind those from `first` on, a few
    /// rows at a time, padding columns included.
    public func forEachPass(
        over tokens: [Int32],
        from first: Int,
        _ body: (_ logits: Buffer<Float>, _ rows: Range<Int>) -> Void
    ) {
        let cache = model.makeCache()
        for start in stride(from: 0, to: tokens.count, by: rowsPerPass) {
            let end = min(start + rowsPerPass, tokens.count)
            let rows = max(start, min(first, end))..<end
            let logits = model.transformer.logits(
                TokenBatch([Array(tokens[start..<end])], caches: [cache]),
                wanted: rows.map { $0 - start }
            )
            if !rows.isEmpty { body(logits.buffer, rows) }
        }
    }

    /// The index of each row's greatest element, the first of equals.
    private static func argmax(_ logits: Buffer<Float>, rows: Int) -> [Int32] {
        let columns = logits.count / rows
        return (0..<rows).map { row in
            logits[row * columns..<(row + 1) * columns].withSpan { span in
                var best = 0
                for index in 1..<max(1, columns) where span[index] > span[best] { best = index }
                return Int32(best)
            }
        }
    }
}
