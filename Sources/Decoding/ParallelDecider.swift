import Kernels
import Synchronization

/// Decides the tokens of a step, several rows at a time.
///
/// A decision reads whole vocabularies, which for small models takes as long as the model's own
/// work; rows are independent, so threads share them out.
final class ParallelDecider: Sendable {
    private let rule: any NextTokenRule
    /// Scratch that no thread is using.
    private let idle = Mutex<[DecisionScratch]>([])

    init(rule: any NextTokenRule) { self.rule = rule }

    /// One decision for each row.
    ///
    /// - Throws: What the rule threw for the first row that failed.
    func decide(_ rows: [[Buffer<Float>]], keys: [PositionKey]) throws -> [TokenDecision] {
        guard rows.count > 1 else {
            var scratch = takeScratch()
            defer { putBack(scratch) }
            return try rows.indices.map {
                try rule.decide(logits: rows[$0], key: keys[$0], scratch: &scratch)
            }
        }
        let results = Results(count: rows.count)
        ThreadPool.forEach(rows.count, grain: 1) { [self] range in
            var scratch = takeScratch()
            defer { putBack(scratch) }
            for index in range {
                let result = Result {
                    try rule.decide(logits: rows[index], key: keys[index], scratch: &scratch)
                }
                results.store(result, at: index)
            }
        }
        return try results.all()
    }

    private func takeScratch() -> DecisionScratch {
        idle.withLock { $0.popLast() } ?? DecisionScratch()
    }

    private func putBack(_ scratch: DecisionScratch) { idle.withLock { $0.append(scratch) } }
}

/// Results that arrive out of order, from several threads.
private final class Results: Sendable {
    private let slots: Mutex<[Result<TokenDecision, any Error>?]>

    init(count: Int) { slots = Mutex(Array(repeating: nil, count: count)) }

    func store(_ result: Result<TokenDecision, any Error>, at index: Int) {
        slots.withLock { $0[index] = result }
    }

    func all() throws -> [TokenDecision] {
        try slots.withLock { try $0.compactMap { try $0?.get() } }
    }
}
