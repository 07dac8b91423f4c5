import Basics
import Foundation
import Kernels

@testable import Decoding

/// A model whose logits are any function of the tokens so far.
///
/// Its rows have two more entries than tokens, padding with huge logits that must never be drawn.
final class ToyModel: NextTokenModel {
    final class Cache: SequenceCache {
        var tokens: [Int32]

        init(_ tokens: [Int32] = []) { self.tokens = tokens }

        func fork() -> Cache { Cache(tokens) }

        func truncate(to length: Int) {
            precondition(length <= tokens.count)
            tokens.removeLast(tokens.count - length)
        }
    }

    let vocabularySize: Int
    private let next: ([Int32]) -> [Float]
    /// Tokens read so far.
    private(set) var readTokens = 0
    /// Passes so far.
    private(set) var passes = 0
    /// The largest number of tokens in one pass.
    private(set) var mostRows = 0

    init(vocabularySize: Int, _ next: @escaping ([Int32]) -> [Float]) {
        self.vocabularySize = vocabularySize
        self.next = next
    }

    /// Logits between -4 and 4 that depend on the last two tokens; equal salts, equal models.
    static func random(vocabularySize: Int, salt: UInt64, spread: Double = 4) -> ToyModel {
        ToyModel(vocabularySize: vocabularySize) { tokens in
            randomLogits(after: tokens, count: vocabularySize, salt: salt, spread: spread)
        }
    }

    static func randomLogits(
        after tokens: [Int32],
        count: Int,
        salt: UInt64,
        spread: Double = 4
    ) -> [Float] {
        let stream = RandomStream(seed: salt, name: "toy logits")
        var item: UInt64 = 7
        for token in tokens.suffix(2) { item = item &* 1_000_003 &+ UInt64(token) &+ 1 }
        return (0..<count).map {
            Float(stream.uniform(item: item, attempt: 0, position: $0, draw: 0) * 2 - 1)
                * Float(spread)
        }
    }

    func makeCache() -> Cache { Cache() }

    func logits(_ inputs: [SequenceInput]) -> [Buffer<Float>?] {
        precondition(Set(inputs.map { ObjectIdentifier($0.cache) }).count == inputs.count)
        passes += 1
        mostRows = max(mostRows, inputs.reduce(0) { $0 + $1.tokens.count })
        return inputs.map { input -> Buffer<Float>? in
            precondition(!input.tokens.isEmpty && input.logitRows <= input.tokens.count)
            readTokens += input.tokens.count
            guard let cache = input.cache as? Cache else { preconditionFailure("another cache") }
            let past = cache.tokens.count
            cache.tokens += input.tokens
            guard input.logitRows > 0 else { return nil }
            let rows = (0..<input.logitRows).flatMap { row in
                let seen = past + input.tokens.count - input.logitRows + 1 + row
                return next(Array(cache.tokens.prefix(seen))) + [90, 90]
            }
            return Buffer(rows)
        }
    }
}

/// Softmax in double precision.
func softmax(_ logits: [Float], temperature: Double = 1) -> [Double] {
    let most = logits.map(Double.init).max() ?? 0
    let exps = logits.map { exp((Double($0) - most) / temperature) }
    let sum = exps.reduce(0, +)
    return exps.map { $0 / sum }
}

/// The sampling filters as their definitions say, by sorting everything.
func filtered(_ logits: [Float], _ parameters: SamplingParameters) -> [Double] {
    guard parameters.temperature > 0 else {
        let best = mostLikelyFirst(logits.map(Double.init))[0]
        return logits.indices.map { $0 == best ? 1 : 0 }
    }
    return filtered(softmax(logits, temperature: parameters.temperature), parameters)
}

/// The same, of probabilities at the temperature already.
func filtered(_ probabilities: [Double], _ parameters: SamplingParameters) -> [Double] {
    var p = probabilities
    func keep(_ ids: some Sequence<Int>) {
        let ids = Set(ids)
        let total = ids.sorted().reduce(0) { $0 + p[$1] }
        p = p.indices.map { ids.contains($0) ? p[$0] / total : 0 }
    }
    if let topK = parameters.topK { keep(mostLikelyFirst(p).prefix(topK)) }
    if parameters.topP < 1 {
        var sum = 0.0
        keep(
            mostLikelyFirst(p).prefix { id in
                defer { sum += p[id] }
                return sum < parameters.topP
            }
        )
    }
    let floor = parameters.minP * (p.max() ?? 0)
    keep(p.indices.filter { p[$0] > 0 && p[$0] >= floor })
    return p
}

private func mostLikelyFirst(_ p: [Double]) -> [Int] {
    p.indices.sorted { p[$0] != p[$1] ? p[$0] > p[$1] : $0 < $1 }
}
