import Autograd
import Kernels
import Models

extension LanguageModel: NextTokenModel {
    /// A second cache with the same past.
    public func fork(_ cache: KVCache) -> KVCache { cache.fork() }

    /// Forgets the positions of a cache from `length` on.
    public func truncate(_ cache: KVCache, to length: Int) { cache.truncate(to: length) }

    /// Logits behind the last tokens of each input, all inputs in one pass.
    public func logits(_ inputs: [SequenceInput<KVCache>]) throws -> [Buffer<Float>?] {
        let batch = TokenBatch(inputs.map(\.tokens), caches: inputs.map(\.cache))
        let wanted = zip(inputs, batch.sequences).flatMap { input, rows in
            rows.suffix(input.logitRows)
        }
        let logits = transformer.logits(batch, wanted: wanted)
        var row = 0
        return inputs.map { input in
            guard input.logitRows > 0 else { return nil }
            defer { row += input.logitRows }
            return logits.rows(row..<row + input.logitRows).buffer
        }
    }
}
