import Autograd
import Basics
import Checkpoints
import Foundation
import Kernels
import Testing

@testable import Models

/// Low-rank adapters against PEFT; see Tools/lora_parity.py, which made the fixtures.
@Suite struct AdapterTests {
    static let loras = [
        "llama": LoRA(rank: 3, alpha: 5, targets: ["q_proj", "v_proj"]),
        "qwen2": LoRA(rank: 3, alpha: 5, targets: LoRA.maps),
        "qwen3": LoRA(rank: 3, alpha: 5, targets: ["k_proj", "o_proj", "down_proj"]),
    ]

    static let families = loras.keys.sorted()

    /// The formula's weights as a file stores them: frozen, in float32.
    struct StoredWeights: WeightProvider {
        typealias Scalar = Float
        let base = ParityTests.FormulaWeights<Float>()

        func matrix(_ name: String, rows: Int, columns: Int) throws -> Matrix<Float> {
            guard case .parameter(let weight) = base.matrix(name, rows: rows, columns: columns)
            else { throw Failure(.failed, "the formula gives parameters") }
            let bytes = NSMutableData(length: 4 * rows * columns) ?? NSMutableData()
            bytes.setData(weight.value.elements.withUnsafeBytes { Data($0) })
            return .stored(
                StoredMatrix(
                    format: .f32,
                    rows: rows,
                    columns: columns,
                    bytes: UnsafeRawBufferPointer(start: bytes.bytes, count: bytes.length),
                    owner: bytes
                )
            )
        }

        func vector(_ name: String, count: Int) -> Parameter<Float> {
            base.vector(name, count: count)
        }
    }

    struct Fixture {
        let reference: Safetensors
        let model: Transformer<Float>

        init(_ family: String) throws {
            let folder = Bundle.module.url(forResource: "Fixtures", withExtension: nil)
            let path = try #require(folder).path(percentEncoded: false)
            reference = try Safetensors("\(path)/lora-\(family).safetensors")
            let json = try TextFile.readJSON("\(path)/\(family).config.json")
            let formula = ParityTests.FormulaWeights<Float>()
            let weights = AdaptedWeights(StoredWeights(), try #require(loras[family])) {
                guard case .parameter(let factor) = formula.matrix($0, rows: $1[0], columns: $1[1])
                else { throw Failure(.failed, "the formula gives parameters") }
                return factor.value
            }
            model = try Transformer(ModelConfiguration(json), weights: weights)
        }

        func values(_ name: String) throws -> [Float] { try reference.values(name).array }
    }

    @Test(arguments: families) func logitsAgree(_ family: String) throws {
        let fixture = try Fixture(family)
        let logits = fixture.model.logits(TokenBatch(ParityTests.batch), wanted: Array(0..<33))
        #expect(try ParityTests.error(logits.elements, fixture.values("logits")) <= 1e-5)
    }

    @Test(arguments: families, Recomputation.allCases)
    func everyGradientAgrees(_ family: String, recomputation: Recomputation) throws {
        let fixture = try Fixture(family)
        fixture.model.recomputation = recomputation
        for parameter in fixture.model.trained { parameter.unfreeze() }
        let loss = ParityTests.loss(fixture.model, on: Tape())
        #expect(try ParityTests.error([loss.value.item], fixture.values("loss")) <= 1e-5)
        loss.backward()
        let names = Set(fixture.model.trained.map { "gradient.\($0.name)" })
        #expect(names == Set(fixture.reference.tensors.keys.filter { $0.hasPrefix("gradient.") }))
        for parameter in fixture.model.trained {
            let gradient = try #require(parameter.gradient).elements
            let expected = try fixture.values("gradient.\(parameter.name)")
            #expect(ParityTests.error(gradient, expected) <= 1e-4, "\(parameter.name)")
        }
        #expect(fixture.model.parameters.allSatisfy { $0.gradient == nil }, "the base is frozen")
    }

    @Test(arguments: families)
    func twentyOptimizerStepsAgree(_ family: String) throws {
        let fixture = try Fixture(family)
        let optimizer = AdamW(
            fixture.model.trained,
            configuration: .init(weightDecay: 0.1, maximumGradientNorm: 1)
        )
        let expected = try fixture.values("steps")
        for step in 0..<20 {
            let loss = ParityTests.loss(fixture.model, on: Tape())
            #expect(abs(loss.value.item - expected[step]) <= 1e-4 * expected[step], "step \(step)")
            loss.backward()
            optimizer.step(learningRate: 1e-2, gradientNorm: optimizer.gradientNorm())
        }
    }
}
