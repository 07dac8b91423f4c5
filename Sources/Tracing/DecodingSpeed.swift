import Basics
import Decoding
import Experiments
import Kernels
import Models

/// How fast a model, or a pair of them, reads and writes.
public struct DecodingSpeed {
    /// What to measure with.
    public struct Options {
        /// Sequences at once.
        var batch = 8
        /// Tokens of each prompt.
        var promptTokens = 128
        /// Tokens to make for each sequence.
        var tokens = 64
        /// K: the most tokens the teacher drafts before the student checks; nil for the best.
        var draftTokens: Int?

        /// Describes a measurement.
        public init(
            batch: Int = 8,
            promptTokens: Int = 128,
            tokens: Int = 64,
            draftTokens: Int? = nil
        ) {
            self.batch = batch
            self.promptTokens = promptTokens
            self.tokens = tokens
            self.draftTokens = draftTokens
        }
    }

    /// Sequences at once.
    var batch: Int
    /// Tokens of prompts read a second, all prompts together.
    var promptTokensPerSecond = 0.0
    /// The same for a single prompt of `longPromptTokens`.
    var longPromptTokensPerSecond = 0.0
    /// Tokens made by the teacher alone.
    var decode: DecodingMeasurement?
    /// Tokens made by Reverse Speculative Decoding; nil without a student.
    var rsd: DecodingMeasurement?
    /// Bytes of all weights as they are kept in memory.
    var modelBytes: Int
    /// Most bytes that all sequences' keys and values took.
    var cacheBytes = 0
    /// Most memory held, in bytes.
    var peakMemoryBytes = 0

    /// Length of the single prompt: as long as a real problem with its instructions.
    static let longPromptTokens = 512

    /// The names and numbers of the JSON object.
    private var members: [(key: String, value: JSON)] {
        func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
        return [
            ("batch", .integer(batch)),
            ("prompt_tokens_per_second", .number(promptTokensPerSecond)),
            ("long_prompt_tokens_per_second", .number(longPromptTokensPerSecond)),
            ("decode_tokens_per_second", number(decode?.tokensPerSecond)),
            ("decode_deciding_share", number(decode?.share(\.deciding))),
            ("rsd_tokens_per_second", number(rsd?.tokensPerSecond)),
            ("acceptance", number(rsd?.acceptance)),
            ("draft_tokens", rsd.map { .integer($0.draftTokens) } ?? .null),
            ("rsd_teacher_share", number(rsd?.share(\.teacher))),
            ("rsd_student_share", number(rsd?.share(\.student))),
            ("rsd_deciding_share", number(rsd?.share(\.deciding))),
            ("model_bytes", .integer(modelBytes)), ("kv_cache_bytes", .integer(cacheBytes)),
            ("peak_rss_bytes", .integer(peakMemoryBytes)),
            ("instruction_set", .string(CPU.instructionSet)),
            ("openblas_core", .string(CPU.openBLASCore)),
            ("threads", .integer(ThreadPool.threadCount)),
        ]
    }

    /// All numbers as one object.
    public var json: JSON { .object(JSONObject(members)) }

    /// All numbers, one a line.
    public var text: String {
        members.filter { !$0.value.isNull }.map { key, value in
            let name = key.replacing("_", with: " ")
            return "\(name): \(value.string ?? value.number.map(Self.rounded) ?? "")"
        }.joined(separator: "\n")
    }

    private static func rounded(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return ProgressLine.grouped(whole) }
        return value >= 1000
            ? ProgressLine.grouped(Int(value.rounded())) : "\((value * 1000).rounded() / 1000)"
    }
}

extension DecodingSpeed {
    /// Takes the times.
    ///
    /// Prompts are random tokens, so that no work is shared. For Reverse Speculative Decoding both
    /// models need something to agree on: the prompt is a real question where the vocabulary can
    /// spell one.
    /// - Throws: `Failure` when the models do not fit together.
    public static func measure(teacher: LanguageModel, student: LanguageModel?, _ options: Options)
        throws
        -> DecodingSpeed
    {
        let batch = options.batch
        let models = [teacher, student].compactMap(\.self)
        var speed = DecodingSpeed(
            batch: batch,
            modelBytes: (teacher === student ? [teacher] : models)
                .reduce(0) { $0 + $1.transformer.byteCount }
        )
        // The first pass of a process reads the weights from the disk.
        for model in models {
            _ = try model.logits([SequenceInput(tokens: [0], cache: model.makeCache())])
        }
        let long = randomPrompts(teacher, count: 1, length: longPromptTokens)
        speed.longPromptTokensPerSecond = try PromptMeasurement.rate(teacher, long)
        let prompts = randomPrompts(teacher, count: batch, length: options.promptTokens)
        speed.promptTokensPerSecond = try PromptMeasurement.rate(teacher, prompts)
        speed.decode = try DecodingMeasurement(
            teacher,
            sampling(teacher),
            requests(prompts),
            options,
            endOfTurn: []
        )
        if let student {
            let question = BenchQuestion.encoded(student, teacher)
            let request = DecodingRequest(
                id: "bench",
                prompt: question?.student
                    ?? randomPrompts(student, count: 1, length: options.promptTokens)[0],
                teacherPrompt: question?.teacher,
                // An answer may end early; another try then takes its place.
                attempts: Array(0..<min(0xFFFF, batch * (options.tokens + 1)))
            )
            speed.rsd = try DecodingMeasurement(
                student,
                proposer: teacher,
                ReverseSpeculativeDecoding(
                    .paper,
                    vocabularies: try ModelStore().vocabularies(teacher: teacher, student: student),
                    seed: 0
                ),
                [request],
                options,
                endOfTurn: student.tokenizer.endOfTurnIDs
            )
        }
        speed.cacheBytes = KVCache.peakByteCount
        speed.peakMemoryBytes = RunEnvironment.peakMemoryBytes
        return speed
    }

    /// Finds what more threads could bring to a step of decoding with one model.
    ///
    /// - Returns: Bounds, and the truth for the threads that there are.
    /// - Throws: `Failure`; kind interrupted when asked to stop.
    public static func scaling(of model: LanguageModel, _ options: Options) throws -> ScalingTable {
        let prompts = randomPrompts(model, count: options.batch, length: options.promptTokens)
        let engine = try DecodingEngine(
            model: model,
            rule: sampling(model),
            stop: StopRules(endOfTurn: []),
            options: .init(batchSize: options.batch)
        )
        let measurement = ScalingMeasurement(rounds: options.tokens)
        let cancellation = CancellationFlag()
        try engine.run(
            requests(prompts),
            cancellation: cancellation,
            progress: { done in
                guard done.newTokens >= options.batch else { return }
                if Interrupts.isRequested || !measurement.wantsStep() { cancellation.cancel() }
            },
            deliver: { _ in }
        )
        try Interrupts.check()
        return measurement.table
    }

    private static func sampling(_ model: LanguageModel) -> PlainSampling {
        PlainSampling(.paper, vocabularySize: model.vocabularySize, seed: 0, source: .teacher)
    }

    private static func requests(_ prompts: [[Int32]]) -> [DecodingRequest] {
        prompts.enumerated().map { DecodingRequest(id: "bench-\($0)", prompt: $1) }
    }

    private static func randomPrompts(_ model: LanguageModel, count: Int, length: Int) -> [[Int32]]
    {
        let stream = RandomStream(seed: 0, name: "bench")
        let size = Double(model.vocabularySize)
        return (0..<count).map { prompt in
            (0..<length).map { position in
                Int32(
                    stream.uniform(item: UInt64(prompt), attempt: 0, position: position, draw: 0)
                        * size
                )
            }
        }
    }
}
