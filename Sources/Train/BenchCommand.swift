import ArgumentParser
import Autograd
import Checkpoints
import Experiments
import Files
import Foundation
import Kernels
import Models

/// `rsd-train bench`: speed of fine-tuning steps on random weights.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time fine-tuning steps, of a published shape on random weights or of a model."
    )

    @Option(help: "Shape by name, such as qwen3-0.6b or smollm2-135m.") var shape = "qwen3-0.6b"
    @Option(help: "Train this model instead: a .gguf or .h5 file or a Hugging Face folder.")
    var model: String?
    @Option(help: "Train adapters of this rank on the frozen --model instead of all its weights.")
    var loraRank: Int?
    @Option(help: "Tokens of the sequence.") var sequence = 512
    @Option(help: "Timed steps, after one that is not.") var steps = 3
    @Flag(help: "Keep only each layer's input and compute the rest again.") var recompute = false
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        guard sequence > 1, steps > 0 else {
            throw ValidationError("--sequence must be at least 2 and --steps at least 1.")
        }
        guard loraRank.map({ $0 > 0 && model != nil }) ?? true else {
            throw ValidationError("--lora-rank must be at least 1 and needs --model.")
        }
    }

    func run() throws {
        let transformer = try model.map(load) ?? randomModel()
        transformer.recomputesLayers = recompute
        let optimizer = AdamW(transformer.trained)
        let stream = RandomStream(seed: 0, name: "bench")
        let tokens = (0...sequence).map { position in
            Int32(
                stream.uniform(item: 0, attempt: 0, position: position, draw: 0)
                    * Double(transformer.configuration.vocabularySize)
            )
        }
        var times: [Double] = []
        var loss: Float = 0
        for _ in 0...steps {
            let start = ContinuousClock.now
            let tape = Tape<Float>()
            let result = transformer.loss(
                TokenBatch([Array(tokens.dropLast())]),
                targets: Array(tokens.dropFirst()),
                coefficients: Array(repeating: 1 / Float(sequence), count: sequence),
                on: tape
            )
            result.backward()
            loss = result.value.item
            optimizer.step(learningRate: 1e-5, gradientNorm: optimizer.gradientNorm())
            times.append((ContinuousClock.now - start) / .seconds(1))
        }
        let seconds = times.dropFirst().sorted()[steps / 2]
        report(seconds: seconds, loss: loss)
    }

    /// The model of `--model`, with adapters on every linear map if they are asked for.
    private func load(_ path: String) throws -> Transformer<Float> {
        let lora = loraRank.map { LoRA(rank: $0, alpha: Double(2 * $0), targets: LoRA.maps) }
        let model =
            try lora.map { try LanguageModel(adapting: path, $0, seed: 0) }
            ?? LanguageModel(path, storage: .float32)
        try MemoryEstimate(
            model.configuration,
            recomputesLayers: recompute,
            rows: sequence,
            adapting: lora.map { ($0, model.transformer.storedBytes) }
        ).check()
        return model.transformer
    }

    private func randomModel() throws -> Transformer<Float> {
        guard let configuration = ModelConfiguration.named(shape) else {
            let known = ModelConfiguration.published.map(\.name).joined(separator: ", ")
            throw Failure(
                .configuration,
                at: "--shape",
                "unknown shape '\(shape)'; known are \(known)"
            )
        }
        try MemoryEstimate(configuration, recomputesLayers: recompute, rows: sequence).check()
        return try Transformer(
            configuration,
            weights: RandomWeights<Float>(seed: 0, layerCount: configuration.layerCount)
        )
    }

    private func report(seconds: Double, loss: Float) {
        let name =
            (model.map(RunEnvironment.relative) ?? shape)
            + (loraRank.map { ", LoRA of rank \($0)" } ?? "")
        let record: JSON = [
            "tokens_per_second": .number(Double(sequence) / seconds),
            "step_seconds": .number(seconds),
            "peak_rss_bytes": .integer(RunEnvironment.peakMemoryBytes),
            "loss": .number(loss), "shape": .string(name), "sequence": .integer(sequence),
            "threads": .integer(ThreadPool.threadCount),
            "instruction_set": .string(CPU.instructionSet),
            "openblas_core": .string(CPU.openBLASCore),
        ]
        if json { return print(record.compact) }
        print(
            String(
                format: "%@, 1 x %d tokens: %.1f tokens/s, %.2f s a step, peak %.2f GiB, loss %.3f",
                name,
                sequence,
                Double(sequence) / seconds,
                seconds,
                Double(RunEnvironment.peakMemoryBytes) / 0x1p30,
                loss
            )
        )
    }
}
