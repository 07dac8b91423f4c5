import Autograd
import Basics
import Checkpoints
import Experiments
import Kernels
import Models
import Records

/// Times fine-tuning steps on random sequences, of a model or of random weights.
public struct TrainingBenchmark {
    /// The model's path, or the name of a published shape.
    public enum Subject: Sendable {
        /// Random weights of a shape such as `qwen3-0.6b`.
        case shape(String)
        /// A model on disk; with a rank, adapters on all its linear maps are trained instead of it.
        case model(String, loraRank: Int?)
    }

    /// What is trained.
    public var subject: Subject
    /// Tokens of each sequence.
    public var lengths: [Int]
    /// Timed steps, after one that is not; with 0 that one is timed.
    public var steps: Int
    /// Tokens that go through the network at once.
    public var microBatchTokens: Int
    /// What is computed twice to save memory.
    public var recompute: TrainingSettings.Recompute
    /// What the matrix products are computed with.
    public var arithmetic: ProductArithmetic
    /// The type of the moments.
    public var moments: NamedTensor.Storage

    /// Describes a benchmark.
    public init(
        _ subject: Subject,
        lengths: [Int],
        steps: Int,
        microBatchTokens: Int,
        recompute: TrainingSettings.Recompute,
        arithmetic: ProductArithmetic,
        moments: NamedTensor.Storage
    ) {
        self.subject = subject
        self.lengths = lengths
        self.steps = steps
        self.microBatchTokens = microBatchTokens
        self.recompute = recompute
        self.arithmetic = arithmetic
        self.moments = moments
    }

    /// Trains the steps.
    ///
    /// - Parameter announce: Hears how much memory it will take, before it does.
    /// - Returns: The step of median time.
    /// - Throws: `Failure.configuration` for a shape that is not known or that memory cannot hold;
    ///   what loading a model throws.
    public func run(announce: (String) -> Void) throws -> TrainingBenchmarkResult {
        let (trainee, memory) = try makeTrainee(announce)
        var timings: [TrainingBenchmarkResult.Timing] = []
        for step in 0...steps {
            if step == steps { ProductMeter.start() }
            timings.append(try trainee.step())
        }
        let products = ProductMeter.stop()
        let median = timings.suffix(max(1, steps)).sorted { $0.seconds < $1.seconds }[steps / 2]
        return TrainingBenchmarkResult(
            name: name,
            lengths: lengths,
            arithmetic: arithmetic,
            step: median,
            memory: memory,
            moments: moments,
            productRate: products.operations / products.seconds,
            peakBytes: RunEnvironment.peakMemoryBytes
        )
    }

    /// Finds what more threads could bring to a step, each number of them by as many steps.
    ///
    /// - Parameter announce: Hears how much memory it will take, before it does.
    /// - Returns: Bounds, and the truth for the threads that there are.
    /// - Throws: As `run(announce:)`.
    public func scaling(announce: (String) -> Void) throws -> ScalingTable {
        let (trainee, _) = try makeTrainee(announce)
        _ = try trainee.step()
        let measurement = ScalingMeasurement(rounds: max(1, steps))
        while measurement.wantsStep() { _ = try trainee.step() }
        return measurement.table
    }

    /// A model and the batch it is trained on, again and again.
    private struct Trainee {
        let transformer: Transformer<Float>
        let optimizer: AdamW<Float>
        let batch: StepBatch
        let arithmetic: ProductArithmetic

        func step() throws -> TrainingBenchmarkResult.Timing {
            let profile = OperationProfile()
            let faults = RunEnvironment.pageFaults
            let gradients = try StepGradients(
                of: CrossEntropyObjective(),
                under: transformer,
                on: batch,
                arithmetic: arithmetic,
                profile: profile
            )
            let end = ContinuousClock.now
            optimizer.step(learningRate: 1e-5, gradientNorm: optimizer.gradientNorm())
            return .init(
                forward: gradients.forwardSeconds,
                backward: gradients.backwardSeconds,
                optimizer: (ContinuousClock.now - end) / .seconds(1),
                loss: Float(gradients.loss),
                pageFaults: RunEnvironment.pageFaults - faults,
                profile: profile
            )
        }
    }

    private func makeTrainee(_ announce: (String) -> Void) throws -> (Trainee, MemoryEstimate) {
        let (transformer, memory) = try makeModel(announce)
        transformer.recomputation = memory.recomputation
        let optimizer = AdamW(
            transformer.trained,
            configuration: .init(bfloat16Moments: moments == .bfloat16)
        )
        let batch = batch(vocabularySize: transformer.configuration.vocabularySize)
        let trainee = Trainee(
            transformer: transformer,
            optimizer: optimizer,
            batch: batch,
            arithmetic: arithmetic
        )
        return (trainee, memory)
    }

    var name: String {
        switch subject {
        case .shape(let shape): shape
        case .model(let path, nil): RunEnvironment.relative(path)
        case .model(let path, let rank?): "\(RunEnvironment.relative(path)), LoRA of rank \(rank)"
        }
    }

    private func makeModel(_ announce: (String) -> Void) throws
        -> (Transformer<Float>, MemoryEstimate)
    {
        func estimate(
            _ configuration: ModelConfiguration,
            adapting: MemoryEstimate.Adapting? = nil
        ) throws -> MemoryEstimate {
            let memory = recompute.estimate(
                configuration,
                rows: microBatchLengths.map { $0.reduce(0, +) }.max() ?? 0,
                moments: moments,
                adapting: adapting
            )
            announce(memory.text)
            try memory.check()
            return memory
        }
        switch subject {
        case .model(let path, let rank):
            let lora = rank.map { LoRA(rank: $0, alpha: Double(2 * $0), targets: LoRA.maps) }
            let model =
                try lora.map { try LanguageModel(adapting: path, $0, seed: 0) }
                ?? LanguageModel(path, storage: .float32)
            let stored = lora.map { ($0, model.transformer.storedBytes) }
            return (model.transformer, try estimate(model.configuration, adapting: stored))
        case .shape(let shape):
            let configuration = try published(shape)
            let memory = try estimate(configuration)
            let weights = RandomWeights<Float>(seed: 0, layerCount: configuration.layerCount)
            return (try Transformer(configuration, weights: weights), memory)
        }
    }

    private func published(_ shape: String) throws -> ModelConfiguration {
        if let configuration = ModelConfiguration.named(shape) { return configuration }
        let known = ModelConfiguration.published.map(\.name).joined(separator: ", ")
        throw Failure(
            .configuration,
            at: "--shape",
            "unknown shape '\(shape)'; known are \(known)"
        )
    }

    func configuration() throws -> ModelConfiguration {
        switch subject {
        case .shape(let shape): try published(shape)
        case .model(let path, _): try ModelConfiguration(ModelFiles.open(path).configuration)
        }
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
    private func batch(vocabularySize: Int) -> StepBatch {
        let stream = RandomStream(seed: 0, name: "bench")
        var item: UInt64 = 0
        func sequence(_ length: Int) -> TrainingExample {
            defer { item += 1 }
            let ids = (0...length).map { position in
                Int32(
                    stream.uniform(item: item, attempt: 0, position: position, draw: 0)
                        * Double(vocabularySize)
                )
            }
            return TrainingExample(
                id: "sequence \(item)",
                prompt: [ids[0]],
                completion: Array(ids.dropFirst()),
                isComplete: false,
                endOfTurn: -1
            )
        }
        return StepBatch(microBatchLengths.map { $0.map(sequence) })
    }
}
