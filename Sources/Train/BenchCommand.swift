import ArgumentParser
import Checkpoints
import Experiments
import Kernels
import Programs
import Training

/// `rsd-train bench`: speed of fine-tuning steps on random weights.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Time fine-tuning steps, of a published shape on random weights or of a model.",
        discussion: """
            Prints the median of the timed steps, and where their time went: forward and backward \
            pass by operation, the optimizer, and the speed of matrix products. With --scaling \
            instead how many times as fast more threads could be at most: a bound, found by \
            recording the parts of a step on one thread, beside what this machine's threads reach.
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
    @Option(help: "Products of ours in float32 or bfloat16, or openBLAS.")
    var products = ProductArithmetic.float32
    @Flag(help: "Compare the kinds of products at the shapes of a step instead.")
    var compareProducts = false
    @Option(help: "Keep moments as float32 or bfloat16.") var moments = NamedTensor.Storage.float32
    @Flag(help: "Print a bound for up to 128 threads instead; takes eight times as many steps.")
    var scaling = false
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

    func run() throws {
        let lengths = (0..<batch).map { index in
            ragged
                ? max(2, sequence / 4 + (sequence - sequence / 4) * (index + 1) / batch) : sequence
        }
        let benchmark = TrainingBenchmark(
            model.map { .model($0, loraRank: loraRank) } ?? .shape(shape),
            lengths: lengths,
            steps: steps,
            microBatchTokens: microBatchTokens,
            recompute: recompute,
            arithmetic: products,
            moments: moments
        )
        if compareProducts {
            try StandardOutput.write(try benchmark.compareProducts())
            return
        }
        func announce(_ line: String) { if !json { StandardError.write(line: line) } }
        guard !scaling else {
            let table = try benchmark.scaling(announce: announce)
            try StandardOutput.write(json ? table.json.compact + "\n" : table.text)
            return
        }
        let result = try benchmark.run(announce: announce)
        try StandardOutput.write(json ? result.json.compact + "\n" : result.text)
    }
}

extension ProductArithmetic: ExpressibleByArgument {}
extension TrainingSettings.Recompute: ExpressibleByArgument {}
extension NamedTensor.Storage: ExpressibleByArgument {}
