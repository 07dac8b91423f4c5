import Datasets
import Decoding
import Experiments
import Files
import Foundation
import Kernels
import Models
import Tokenizers

/// How fast a model, or a pair of them, reads and writes.
struct DecodingSpeed {
    /// Tokens of prompts read a second, all prompts together; nil for prompts of one token.
    var promptTokensPerSecond: Double?
    /// Tokens made a second by the teacher alone, all sequences together.
    var decodeTokensPerSecond: Double?
    /// Tokens made a second by Reverse Speculative Decoding; nil without a student.
    var rsdTokensPerSecond: Double?
    /// The share of the teacher's proposals that the student accepted; nil without a student.
    var acceptance: Double?
    /// Most memory held, in bytes.
    var peakMemoryBytes = RunEnvironment.peakMemoryBytes

    /// The names and numbers of the JSON object.
    private var members: [(key: String, value: JSON)] {
        func number(_ value: Double?) -> JSON { value.map { .number($0) } ?? .null }
        return [
            ("prompt_tokens_per_second", number(promptTokensPerSecond)),
            ("decode_tokens_per_second", number(decodeTokensPerSecond)),
            ("rsd_tokens_per_second", number(rsdTokensPerSecond)),
            ("acceptance", number(acceptance)),
            ("peak_rss_bytes", .integer(peakMemoryBytes)),
            ("instruction_set", .string(CPU.instructionSet)),
            ("openblas_core", .string(CPU.openBLASCore)),
            ("threads", .integer(ThreadPool.threadCount)),
        ]
    }

    /// All numbers as one object.
    var json: JSON { .object(JSONObject(members)) }

    /// All numbers, one a line.
    var text: String {
        members.filter { !$0.value.isNull }.map { key, value in
            let name = key.replacing("_", with: " ")
            return "\(name): \(value.string ?? value.number.map(Self.rounded) ?? "")"
        }.joined(separator: "\n")
    }

    private static func rounded(_ value: Double) -> String {
        if let whole = Int(exactly: value) { return Progress.grouped(whole) }
        return value >= 1000
            ? Progress.grouped(Int(value.rounded())) : "\((value * 1000).rounded() / 1000)"
    }
}

extension DecodingSpeed {
    /// Takes the times.
    ///
    /// Prompts are random tokens, so that no work is shared. For Reverse Speculative Decoding both
    /// models need something to agree on: the prompt is a real question where the vocabulary can
    /// spell one.
    /// - Throws: `Failure` when the models do not fit together.
    static func measure(
        teacher: LanguageModel,
        student: LanguageModel?,
        batch: Int,
        promptTokens: Int,
        tokens: Int
    ) throws -> DecodingSpeed {
        let prompts = randomPrompts(teacher, count: batch, length: promptTokens)
        var speed = DecodingSpeed()
        speed.promptTokensPerSecond = try promptSpeed(teacher, prompts)
        let plain = PlainSampling(
            SamplingParameters(temperature: 0.7, topP: 0.95),
            vocabularySize: teacher.vocabularySize,
            seed: 0,
            source: .teacher
        )
        let (rate, _) = try decodingSpeed(
            [teacher],
            plain,
            request: DecodingRequest(id: "bench", prompt: prompts[0], attempts: Array(0..<batch)),
            batch: batch,
            tokens: tokens,
            endOfTurn: []
        )
        speed.decodeTokensPerSecond = rate
        if let student {
            let rule = ReverseSpeculativeDecoding(
                .paper,
                vocabularies: try ModelStore().vocabularies(teacher: teacher, student: student),
                seed: 0
            )
            let question = question(student, teacher)
            let (rate, done) = try decodingSpeed(
                [student, teacher],
                rule,
                request: DecodingRequest(
                    id: "bench",
                    prompt: question?.student
                        ?? randomPrompts(student, count: 1, length: promptTokens)[0],
                    teacherPrompt: question?.teacher,
                    // An answer may end early; another try then takes its place.
                    attempts: Array(0..<min(0xFFFF, batch * (tokens + 1)))
                ),
                batch: batch,
                tokens: tokens,
                endOfTurn: student.tokenizer.endOfTurnIDs
            )
            speed.rsdTokensPerSecond = rate
            let proposals = done.acceptedTokens + done.refusedProposals
            speed.acceptance =
                proposals > 0 ? Double(done.acceptedTokens) / Double(proposals) : nil
        }
        speed.peakMemoryBytes = RunEnvironment.peakMemoryBytes
        return speed
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

    /// Reads all prompts in passes of as many rows as the engine takes.
    private static func promptSpeed(_ model: LanguageModel, _ prompts: [[Int32]]) throws -> Double {
        // The first pass of a process reads the weights from the disk.
        _ = try model.logits([SequenceInput(tokens: [0], cache: model.makeCache())])
        let caches = prompts.map { _ in model.makeCache() }
        let rows = DecodingEngine<LanguageModel>.Options().promptRowsPerPass
        let start = ProcessInfo.processInfo.systemUptime
        var inputs: [SequenceInput<KVCache>] = []
        var room = rows
        for (prompt, cache) in zip(prompts, caches) {
            var rest = prompt[...]
            while !rest.isEmpty {
                let part = Array(rest.prefix(room))
                rest = rest.dropFirst(part.count)
                room -= part.count
                inputs.append(SequenceInput(tokens: part, cache: cache, logitRows: 0))
                if room == 0 {
                    _ = try model.logits(inputs)
                    (inputs, room) = ([], rows)
                }
            }
        }
        if !inputs.isEmpty { _ = try model.logits(inputs) }
        let seconds = ProcessInfo.processInfo.systemUptime - start
        return Double(prompts.joined().count) / max(seconds, 1e-9)
    }

    /// Decodes with a full batch; the time begins behind the first step, which ends the prompt.
    private static func decodingSpeed(
        _ models: [LanguageModel],
        _ rule: any NextTokenRule,
        request: DecodingRequest,
        batch: Int,
        tokens: Int,
        endOfTurn: Set<Int32>
    ) throws -> (rate: Double, done: DecodingProgress) {
        let engine = try DecodingEngine(
            models: models,
            rule: rule,
            stop: StopRules(endOfTurn: endOfTurn, maxNewTokens: tokens, maxTotalTokens: .max),
            options: .init(batchSize: batch)
        )
        let cancellation = CancellationFlag()
        var start: (time: Double, tokens: Int)?
        var rate = 0.0
        let done = try engine.run(
            [request],
            cancellation: cancellation,
            progress: { done in
                let now = ProcessInfo.processInfo.systemUptime
                if let start {
                    rate = Double(done.newTokens - start.tokens) / max(now - start.time, 1e-9)
                } else if done.newTokens > 0 {
                    start = (now, done.newTokens)
                }
                if done.newTokens >= batch * tokens || Interrupts.isRequested {
                    cancellation.cancel()
                }
            },
            deliver: { _ in }
        )
        try Interrupts.check()
        return (rate, done)
    }

    /// A question in the words of both vocabularies; nil where neither chat nor a chain is known.
    private static func question(_ student: LanguageModel, _ teacher: LanguageModel)
        -> (student: [Int32], teacher: [Int32])?
    {
        let text =
            "A shop sells pens at 3 dollars and books at 12 dollars. Ann buys 4 pens and 2 "
            + "books and pays with a 50 dollar note. How much change does she get?"
        let templates: [(PromptTemplate, String)] = [
            (.chatML, text), (.plain, text), (.plain, "7-5*4-8?"),
        ]
        for (template, problem) in templates {
            if let own = try? template.encode(problem: problem, with: student.tokenizer),
                let other = try? template.encode(problem: problem, with: teacher.tokenizer)
            {
                return (own, other)
            }
        }
        return nil
    }
}
