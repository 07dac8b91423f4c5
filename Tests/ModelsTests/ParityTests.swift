import Autograd
import Basics
import Checkpoints
import Foundation
import Kernels
import Models
import Testing

/// Tiny models of each family against transformers; see Tools/model_parity.py, which made the
/// fixtures and repeats these formulas.
@Suite struct ParityTests {
    static let families = ["llama", "qwen2", "qwen3", "smollm3", "mistral"]
    static let batch: [[Int32]] = (0..<3).map { (s: Int) -> [Int32] in
        (0..<11).map { (t: Int) -> Int32 in
            let value: Int = 7 * t + 3 * s + t * t
            return Int32(value % 37)
        }
    }

    /// Weights that both sides can write: a sine of the index with a phase from the name's bytes.
    struct FormulaWeights<Scalar: KernelScalar>: WeightProvider {
        func wave(_ name: String, _ count: Int) -> [Double] {
            let phase = Double(name.utf8.reduce(0) { $0 + Int($1) })
            return (0..<count).map { sin(Double($0) * 1.7 + phase) }
        }

        func matrix(_ name: String, rows: Int, columns: Int) -> Matrix<Scalar> {
            let scale = 1.4 / Double(columns).squareRoot()
            let values = wave(name, rows * columns).map { Scalar(Float($0 * scale)) }
            return .parameter(Parameter(name, Tensor(values, shape: [rows, columns])))
        }

        func vector(_ name: String, count: Int) -> Parameter<Scalar> {
            let isBias = name.hasSuffix("bias")
            let values = wave(name, count).map {
                Scalar(Float(isBias ? $0 * 0.1 : 1 + $0 * 0.1))
            }
            return Parameter(name, Tensor(values, shape: [count]))
        }
    }

    struct Fixture {
        let reference: Safetensors
        let model: Transformer<Float>

        init(_ family: String) throws {
            let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
            let path = try #require(folder).path(percentEncoded: false)
            reference = try Safetensors("\(path)/\(family).safetensors")
            let json = try TextFile.readJSON("\(path)/\(family).config.json")
            model = try Transformer(ModelConfiguration(json), weights: FormulaWeights<Float>())
        }

        func values(_ name: String) throws -> [Float] { try reference.values(name).array }
    }

    /// The largest difference, relative to the largest reference value.
    static func error(_ found: [Float], _ expected: [Float]) -> Float {
        // `max` passes over numbers that are none.
        guard found.count == expected.count, found.allSatisfy(\.isFinite) else {
            return .infinity
        }
        let scale = expected.reduce(0) { max($0, abs($1)) }
        return zip(found, expected).reduce(0) { max($0, abs($1.0 - $1.1)) } / scale
    }

    static func loss(_ model: Transformer<Float>, on tape: Tape<Float>?) -> Variable<Float> {
        let targets = batch.flatMap { sequence in
            sequence.dropFirst().enumerated().map { $0.offset < 4 ? -1 : $0.element }
        }
        let count = targets.count { $0 >= 0 }
        return model.loss(
            TokenBatch(batch.map { Array($0.dropLast()) }),
            targets: targets,
            coefficients: targets.map { _ in 1 / Float(count) },
            on: tape
        )
    }

    @Test(arguments: families) func logitsAgree(_ family: String) throws {
        let fixture = try Fixture(family)
        let logits = fixture.model.logits(TokenBatch(Self.batch), wanted: Array(0..<33))
        #expect(try Self.error(logits.elements, fixture.values("logits")) <= 1e-5)
    }

    @Test(arguments: families) func cachedDecodingAgrees(_ family: String) throws {
        let fixture = try Fixture(family)
        let caches = Self.batch.map { _ in KVCache(fixture.model.configuration) }
        var rows: [[Float]] = Array(repeating: [], count: 3)
        // The prompt in one pass, then token by token.
        for range in [0..<4, 4..<5, 5..<6, 6..<9, 9..<11] {
            let pieces = Self.batch.map { Array($0[range]) }
            let logits = fixture.model.logits(
                TokenBatch(pieces, caches: caches),
                wanted: Array(0..<3 * range.count)
            )
            for sequence in 0..<3 {
                let own = sequence * range.count..<(sequence + 1) * range.count
                rows[sequence] += logits.rows(own).elements
            }
        }
        #expect(try Self.error(rows.flatMap(\.self), fixture.values("logits")) <= 1e-5)
    }

    @Test(arguments: families) func cacheRollsBackAndForks(_ family: String) throws {
        let fixture = try Fixture(family)
        let cache = KVCache(fixture.model.configuration)
        func step(_ tokens: [Int32], _ cache: KVCache) -> [Float] {
            fixture.model.logits(
                TokenBatch([tokens], caches: [cache]),
                wanted: [tokens.count - 1]
            ).elements
        }
        _ = step([1, 2, 3], cache)
        let fork = cache.fork()
        _ = step([9, 9, 9], cache)
        cache.truncate(to: 3)
        #expect(step([4], cache) == step([4], fork))
        #expect(cache.length == 4)
    }

    /// The same over the end of a page of 64 positions: forks share the first page, write on the
    /// second each for itself, and let go of it again.
    @Test(arguments: families) func cacheForksAcrossPages(_ family: String) throws {
        let model = try Fixture(family).model
        let tokens = (0..<70).map { Int32(($0 * 7 + 3) % 31) }
        func step(_ range: Range<Int>, _ cache: KVCache) -> [Float] {
            model.logits(
                TokenBatch([Array(tokens[range])], caches: [cache]),
                wanted: [range.count - 1]
            ).elements
        }
        let whole = model.logits(TokenBatch([tokens]), wanted: [69]).elements
        let cache = KVCache(model.configuration)
        _ = step(0..<62, cache)
        let fork = cache.fork()
        _ = step(40..<50, cache)
        cache.truncate(to: 62)
        let (own, forked) = (step(62..<70, cache), step(62..<70, fork))
        #expect(own == forked && Self.error(own, whole) <= 1e-5)
        // Once more from within the second page, after a fork of its half.
        let second = fork.fork()
        fork.truncate(to: 66)
        #expect(step(66..<70, fork) == own)
        second.truncate(to: 64)
        #expect(step(64..<70, second) == own)
    }

    @Test(arguments: families) func everyGradientAgrees(_ family: String) throws {
        let fixture = try Fixture(family)
        for parameter in fixture.model.parameters { parameter.unfreeze() }
        let loss = Self.loss(fixture.model, on: Tape())
        #expect(try Self.error([loss.value.item], fixture.values("loss")) <= 1e-5)
        loss.backward()
        let names = Set(fixture.model.parameters.map { "gradient.\($0.name)" })
        let published = fixture.reference.tensors.keys.filter { $0.hasPrefix("gradient.") }
        #expect(names == Set(published))
        for parameter in fixture.model.parameters {
            let gradient = try #require(parameter.gradient).elements
            let error = try Self.error(gradient, fixture.values("gradient.\(parameter.name)"))
            #expect(error <= 1e-4, "\(parameter.name)")
        }
    }

    @Test(arguments: families, Recomputation.allCases)
    func twentyOptimizerStepsAgree(_ family: String, recomputation: Recomputation) throws {
        let fixture = try Fixture(family)
        fixture.model.recomputation = recomputation
        let optimizer = AdamW(
            fixture.model.parameters,
            configuration: .init(weightDecay: 0.1, maximumGradientNorm: 1)
        )
        let expected = try fixture.values("steps")
        for step in 0..<20 {
            let loss = Self.loss(fixture.model, on: Tape())
            #expect(abs(loss.value.item - expected[step]) <= 1e-4 * expected[step], "step \(step)")
            loss.backward()
            optimizer.step(learningRate: 1e-2, gradientNorm: optimizer.gradientNorm())
        }
    }

    @Test(arguments: families) func recomputationChangesNoBit(_ family: String) throws {
        let gradients = try Recomputation.allCases.map { recomputation in
            let fixture = try Fixture(family)
            fixture.model.recomputation = recomputation
            for parameter in fixture.model.parameters { parameter.unfreeze() }
            Self.loss(fixture.model, on: Tape()).backward()
            return fixture.model.parameters.map { $0.gradient?.elements ?? [] }
        }
        #expect(gradients[0].contains { $0.contains { $0 != 0 } })
        #expect(gradients[1] == gradients[0] && gradients[2] == gradients[0])
    }

    /// The gradients of a step that is cut into batches, each loss divided by all its targets.
    static func gradients<Scalar: KernelScalar>(
        _ batches: [[[Int32]]],
        of configuration: ModelConfiguration,
        _: Scalar.Type
    ) throws -> [Scalar] {
        let model = try Transformer(configuration, weights: FormulaWeights<Scalar>())
        for parameter in model.parameters { parameter.unfreeze() }
        let targetCount = batches.joined().reduce(0) { $0 + $1.count - 1 }
        for batch in batches {
            let targets = batch.flatMap { $0.dropFirst() }
            model.loss(
                TokenBatch(batch.map { Array($0.dropLast()) }),
                targets: targets,
                coefficients: targets.map { _ in 1 / Scalar(targetCount) },
                on: Tape()
            ).backward()
        }
        return model.parameters.flatMap { $0.gradient?.elements ?? [] }
    }

    /// 1 x 8 and 8 x 1: cutting a step changes the order of additions and nothing else, so the
    /// gradients differ by rounding only, in float32 by some 1e-6 of the largest.
    @Test func accumulationEqualsOneBatch() throws {
        let sequences: [[Int32]] = (0..<8).map { s in (0..<5 + s).map { Int32(($0 * s + 3) % 37) } }
        let configuration = try Fixture("qwen3").model.configuration
        func worst<Scalar: KernelScalar>(_ type: Scalar.Type) throws -> Double {
            let whole = try Self.gradients([sequences], of: configuration, type)
            let cut = try Self.gradients(sequences.map { [$0] }, of: configuration, type)
            #expect(whole.count == cut.count && (whole + cut).allSatisfy(\.isFinite))
            return zip(whole, cut).reduce(0) { max($0, Double(abs($1.0 - $1.1))) }
        }
        #expect(try worst(Double.self) <= 1e-13)
        #expect(try worst(Float.self) <= 1e-6)
    }
}
