import Decoding
import Files
import Kernels
import Models

/// Scores given tokens under a model, a few rows of logits at a time.
struct SequenceScoring {
    /// The most logits held at once, unless told otherwise: 64 MiB of float32.
    static let logitBudget = 1 << 24

    private let model: LanguageModel
    private let rowsPerPass: Int

    /// Prepares to score; `rowsPerPass` changes speed and memory, never the scores.
    init(_ model: LanguageModel, rowsPerPass: Int? = nil) {
        self.model = model
        let fitting = Self.logitBudget / model.configuration.vocabularySize
        self.rowsPerPass = rowsPerPass ?? min(256, max(1, fitting))
    }

    /// Token ids of a file, checked against the model's vocabulary.
    ///
    /// - Throws: `Failure.badData` for an id that the model has no row for.
    func checked(_ ids: [Int]) throws -> [Int32] {
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
    struct Scores: Equatable {
        /// Natural-log probability of `ids[i + 1]` after `ids[...i]`, `[ids.count - 1]`; over all
        /// rows of the output head, as the reference implementations have it.
        var logProbabilities: [Float] = []
        /// The most likely token behind each position, the lowest id among equals, `[ids.count]`.
        var argmax: [Int32] = []
    }

    /// Scores a sequence.
    ///
    /// - Throws: What the model throws.
    func score(_ ids: [Int32]) throws -> Scores {
        var scores = Scores()
        let cache = model.makeCache()
        for start in stride(from: 0, to: ids.count, by: rowsPerPass) {
            let end = min(start + rowsPerPass, ids.count)
            let chunk = Array(ids[start..<end])
            let input = SequenceInput(tokens: chunk, cache: cache, logitRows: chunk.count)
            guard let logits = try model.logits([input])[0] else {
                preconditionFailure("SequenceScoring: no logits for \(chunk.count) rows")
            }
            // The last row of all predicts a token that is not there.
            let targets = (start + 1...end).map { $0 < ids.count ? ids[$0] : -1 }
            let losses = Buffer<Float>(count: chunk.count)
            crossEntropy(
                logits: logits,
                rows: chunk.count,
                targets: targets,
                losses: losses,
                logSumExp: Buffer(count: chunk.count)
            )
            let known = min(end, ids.count - 1) - start
            scores.logProbabilities += losses.array.prefix(known).map { -$0 }
            scores.argmax += Self.argmax(logits, rows: chunk.count)
        }
        return scores
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
