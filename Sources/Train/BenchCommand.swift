import Programs
import ArgumentParser
import Autograd
import Checkpoints
import Records
import Experiments
import Basics
import Foundation
import Kernels
import Models

/// `rsd-train bench`: speed of fine-tuning steps on random weights.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time fine-tuning steps, of a published shape on random weights or of a model.",
        discussion: """
            Prints the median of the timed steps, and where their time went: forward and backward \
            pass by operation, the optimizer, and the speed of matrix products.
            """
    )

    @Option(help: "Shape by name, such as qwen3-0.6b or smollm2-135m.") var shape = "qwen3-0.6b"
    @Option(help: "Train this model instead: a .gguf or .h5 file or a Hugging Face folder.")
    var model: String?
    @Option(help: "Train adapters of this rank on the frozen --model instead of all its weights.")
    var loraRank: Int?
    @Option(help: "Tokens of a sequence.") var sequence = 512
    @Option(help: "Sequences of a step, packed into one pass.") var batch = 1
    @Flag(help: "Lengths from a quarter of --sequence up to it, instead of all alike.")
    var ragged = false
    @Option(help: "Timed steps, after one that is not; 0 times that one.") var steps = 3
    @Option(help: "Tokens that go through the network at once.") var microBatchTokens = 8192
    @Option(help: "What is computed twice to save memory: auto, none, feedForward or layers.")
    var recompute = TrainingSettings.Recompute.auto
    @Option(help: "Keep moments as float32 or bfloat16.") var moments = NamedTensor.Storage.float32
    @Flag(help: "Print JSON.") var json = false

    func validate() throws {
        let most = 1 << 20
        for (name, value, least) in [
            ("--sequence", sequence, 2), ("--batch", batch, 1), ("--steps", steps, 0),
            ("--micro-batch-tokens", microBatchTokens, 1), ("--lora-rank", loraRank ?? 1, 1),
        ] where !(least...most).contains(value) {
            throw ValidationError("\(name) is \(value); expected \(least) to \(most)")
        }
        guard loraRank == nil || model != nil else {
            throw ValidationError("--lora-rank needs --model.")
        }
    }

    /// Tokens of each sequence.
    private var lengths: [Int] {
        (0..<batch).map { index in
            ragged
                ? max(2, sequence / 4 + (sequence - sequence / 4) * (index + 1) / batch) : sequence
        }
    }

    func run() throws {
        let (transformer, memory) = try model.map(load) ?? randomModel()
        transformer.recomputation = memory.recomputation
        let optimizer = AdamW(
            transformer.trained,
            configuration: .init(bfloat16Moments: moments == .bfloat16)
        )
        let microBatches = data(vocabularySize: transformer.configuration.vocabularySize)
        let total = lengths.reduce(0, +)
        var timings: [StepTiming] = []
        for step in 0...steps {
            let profile = OperationProfile()
            if step == steps { ProductMeter.start() }
            var timing = StepTiming(profile: profile)
            let faults = RunEnvironment.pageFaults
            for (inputs, targets) in microBatches {
                let start = ContinuousClock.now
                let loss = transformer.loss(
                    inputs,
                    targets: targets,
                    coefficients: targets.map { _ in 1 / Float(total) },
                    on: Tape(profile: profile)
                )
                let middle = ContinuousClock.now
                loss.backward()
                timing.forward += (middle - start) / .seconds(1)
                timing.backward += (ContinuousClock.now - middle) / .seconds(1)
                timing.loss += loss.value.item
            }
            let end = ContinuousClock.now
            optimizer.step(learningRate: 1e-5, gradientNorm: optimizer.gradientNorm())
            timing.optimizer = (ContinuousClock.now - end) / .seconds(1)
            timing.pageFaults = RunEnvironment.pageFaults - faults
            timings.append(timing)
        }
        let products = ProductMeter.stop()
        let median = timings.suffix(max(1, steps)).sorted { $0.seconds < $1.seconds }[steps / 2]
        try report(median, memory, productRate: products.operations / products.seconds)
    }

    private func estimate(
        _ configuration: ModelConfiguration,
        adapting: MemoryEstimate.Adapting? = nil
    ) throws -> MemoryEstimate {
        let rows = microBatchLengths.map { $0.reduce(0, +) }.max() ?? 0
        let memory = recompute.estimate(
            configuration,
            rows: rows,
            moments: moments,
            adapting: adapting
        )
        if !json { StandardError.write(line: memory.text) }
        try memory.check()
        return memory
    }

    /// The model of `--model`, with adapters on every linear map if they are asked for.
    private func load(_ path: String) throws -> (Transformer<Float>, MemoryEstimate) {
        let lora = loraRank.map { LoRA(rank: $0, alpha: Double(2 * $0), targets: LoRA.maps) }
        let model =
            try lora.map { try LanguageModel(adapting: path, $0, seed: 0) }
            ?? LanguageModel(path, storage: .float32)
        let stored = lora.map { ($0, model.transformer.storedBytes) }
        return (model.transformer, try estimate(model.configuration, adapting: stored))
    }

    private func randomModel() throws -> (Transformer<Float>, MemoryEstimate) {
        guard let configuration = ModelConfiguration.named(shape) else {
            let known = ModelConfiguration.published.map(\.name).joined(separator: ", ")
            throw Failure(
                .configuration,
                at: "--shape",
                "unknown shape '\(shape)'; known are \(known)"
            )
        }
        let memory = try estimate(configuration)
        let weights = RandomWeights<Float>(seed: 0, layerCount: configuration.layerCount)
        return (try Transformer(configuration, weights: weights), memory)
    }

    /// Tokens of the sequences in each micro-batch, longest first.
    private var microBatchLengths: [[Int]] {
        let lengths = lengths.sorted(by: >)
        return BatchSchedule.microBatches(
            Array(lengths.indices),
            lengths: lengths,
            tokens: microBatchTokens
        )
        .map { $0.map { lengths[$0] } }
    }

    /// Random sequences, packed into micro-batches; each token's target is the next.
    private func data(vocabularySize: Int) -> [(inputs: TokenBatch, targets: [Int32])] {
        let stream = RandomStream(seed: 0, name: "bench")
        var item: UInt64 = 0
        func sequence(_ length: Int) -> [Int32] {
            defer { item += 1 }
            return (0...length).map { position in
                Int32(
                    stream.uniform(item: item, attempt: 0, position: position, draw: 0)
                        * Double(vocabularySize)
                )
            }
        }
        return microBatchLengths.map { lengths in
            let sequences = lengths.map(sequence)
            return (
                TokenBatch(sequences.map { $0.dropLast() }), sequences.flatMap { $0.dropFirst() }
            )
        }
    }

    private func report(_ step: StepTiming, _ memory: MemoryEstimate, productRate: Double) throws {
        let peak = RunEnvironment.peakMemoryBytes
        let libraryRate = ProductMeter.libraryRate()
        let rows = lengths.reduce(0, +)
        let name =
            (model.map(RunEnvironment.relative) ?? shape)
            + (loraRank.map { ", LoRA of rank \($0)" } ?? "")
        let record: JSON = [
            "tokens_per_second": .number(Double(rows) / step.seconds),
            "step_seconds": .number(step.seconds),
            "peak_rss_bytes": .integer(peak),
            "loss": .number(step.loss), "shape": .string(name), "sequence": .integer(sequence),
            "batch": .integer(batch), "tokens": .integer(rows),
            "forward_seconds": .number(step.forward),
            "backward_seconds": .number(step.backward),
            "optimizer_seconds": .number(step.optimizer),
            "page_faults": .integer(step.pageFaults),
            "product_gflops": .number((productRate / 1e8).rounded() / 10),
            "library_gflops": .number((libraryRate / 1e8).rounded() / 10),
            "estimated_bytes": .integer(memory.totalBytes),
            "recompute": .string(memory.recomputation.rawValue),
            "moments": .string(moments.rawValue),
            "operations": .array(step.profile.rows.map(\.json)),
            "threads": .integer(ThreadPool.threadCount),
            "instruction_set": .string(CPU.instructionSet),
            "openblas_core": .string(CPU.openBLASCore),
        ]
        if json { return try StandardOutput.write(record.compact + "\n") }
        var text =
            String(
                format: "%@, %d x %d tokens: %.1f tokens/s, %.2f s a step (forward %.2f, backward "
                    + "%.2f, optimizer %.2f), products %.0f GFLOP/s (OpenBLAS at its best %.0f), peak "
                    + "%.2f GB (estimate %.2f, recomputing %@), loss %.3f",
                name,
                batch,
                sequence,
                Double(rows) / step.seconds,
                step.seconds,
                step.forward,
                step.backward,
                step.optimizer,
                productRate / 1e9,
                libraryRate / 1e9,
                Double(peak) / 1e9,
                Double(memory.totalBytes) / 1e9,
                memory.recomputation.rawValue,
                step.loss
            ) + "\n"
        for row in step.profile.rows where row.seconds > step.seconds / 1000 {
            text +=
                String(
                    format: "%7.3f s  %4.1f %%  %5d x  %@ %@",
                    row.seconds,
                    100 * row.seconds / step.seconds,
                    row.count,
                    row.direction.rawValue,
                    row.operation
                ) + "\n"
        }
        try StandardOutput.write(text)
    }
}

/// Seconds of one step by part.
private struct StepTiming {
    var forward = 0.0
    var backward = 0.0
    var optimizer = 0.0
    var loss: Float = 0
    var pageFaults = 0
    let profile: OperationProfile

    init(profile: OperationProfile) { self.profile = profile }

    var seconds: Double { forward + backward + optimizer }
}

extension OperationProfile.Row {
    fileprivate var json: JSON {
        [
            "operation": .string(operation), "direction": .string(direction.rawValue),
            "seconds": .number((seconds * 1e4).rounded() / 1e4), "count": .integer(count),
        ]
    }
}

extension TrainingSettings.Recompute: ExpressibleByArgument {}
extension NamedTensor.Storage: ExpressibleByArgument {}
