import Decoding
import Basics

/// How tries are generated.
public struct GenerationSettings: Sendable, Equatable {
    /// Published variants of the method, which set the defaults of everything below `batch`.
    public enum Preset: String, Sendable, CaseIterable {
        /// As the paper describes it: one proposal, both models at temperature 0.7 and top-p 0.95.
        case paper
        /// As the authors' predecessor code works: five proposals, both models at temperature 1
        /// and top-k 20, a proposal must be among the student's top 20.
        case referenceCode = "reference-code"

        /// The numbers.
        var configuration: ReverseSpeculativeDecoding.Configuration {
            switch self {
            case .paper: .paper
            case .referenceCode: .referenceCode
            }
        }
    }

    /// Tries at each problem.
    public var tries: Int
    /// Most tokens of a completion.
    public var maxNewTokens: Int
    /// Most tokens of prompt and completion together.
    public var maxTotalTokens: Int
    /// Sequences decoded at once; changes speed and memory, never the traces.
    public var batch: Int
    /// The most tokens the teacher drafts before the student checks them; nil to measure.
    ///
    /// Changes speed, never the traces.
    public var draftTokens: Int?
    /// Where the defaults come from.
    public var preset: Preset
    /// R: how many tokens the teacher may propose for one position.
    public var proposals: Int
    /// p_th: the student's probability below which a proposal is refused.
    public var acceptanceThreshold: Double
    /// Refuses proposals that are not among this many of the student's most likely; nil asks not.
    public var acceptanceTopK: Int?
    /// How the teacher's proposals are drawn.
    public var teacher: SamplingParameters
    /// How the student draws, after the last refusal or alone.
    public var fallback: SamplingParameters
    /// Thresholds whose exact acceptance is recorded beside each trace.
    public var acceptanceThresholds: [Double]
    /// The seed whose traces all seeds of training use; nil where each has its own.
    public var seed: UInt64?

    init(_ reader: ConfigurationReader) {
        tries = reader.integer("tries", default: 16, in: 1...65535)
        maxNewTokens = reader.integer(
            "maxNewTokens",
            default: 7168,
            in: 1...ConfigurationReader.most
        )
        maxTotalTokens = reader.integer(
            "maxTotalTokens",
            default: 8192,
            in: 2...ConfigurationReader.most
        )
        batch = reader.integer("batch", default: 16, in: 1...65536)
        let draft =
            reader.optional("draftTokens", "auto or a whole number from 1 to 64") { value in
                if value.string == "auto" { return 0 }
                return value.integer.flatMap { (1...64).contains($0) ? $0 : nil }
            } ?? 0
        draftTokens = draft == 0 ? nil : draft
        preset = reader.choice("preset", default: Preset.paper) ?? .paper
        let standard = preset.configuration
        proposals = reader.integer("proposals", default: standard.proposals, in: 1...1024)
        acceptanceThreshold = reader.number(
            "acceptanceThreshold",
            default: standard.acceptanceThreshold,
            in: 0...Double.infinity
        )
        let topK = reader.integer(
            "acceptanceTopK",
            default: standard.acceptanceTopK ?? 0,
            in: 0...Int.max
        )
        acceptanceTopK = topK == 0 ? nil : topK
        func read(_ key: String, default sampling: SamplingParameters) -> SamplingParameters {
            guard let inner = reader.map(key) else { return sampling }
            defer { inner.finish() }
            return SamplingParameters(inner, default: sampling)
        }
        teacher = read("teacher", default: standard.teacher)
        fallback = read("fallback", default: standard.fallback)
        acceptanceThresholds =
            reader.optional("acceptanceThresholds", "a list of numbers of at least 0") { value in
                guard let items = value.array else { return nil }
                let numbers = items.compactMap { item in
                    item.number.flatMap { $0 >= 0 ? $0 : nil }
                }
                return numbers.count == items.count ? numbers : nil
            } ?? []
        seed = reader.has("seed") ? UInt64(reader.integer("seed", in: 0...Int.max)) : nil
        reader.finish()
    }

    /// The same settings with the token gate of a policy: at a threshold of 0 the teacher chooses
    /// every token, above 1 the student.
    func gated(_ policy: TracePolicy) -> GenerationSettings {
        var copy = self
        switch policy {
        case .rsd: return copy
        case .teacher: copy.acceptanceThreshold = 0
        case .student: copy.acceptanceThreshold = 2
        }
        copy.acceptanceTopK = nil
        copy.proposals = 1
        return copy
    }

    /// The members that the traces depend on.
    var json: JSON {
        var members = JSONObject([
            ("tries", .integer(tries)), ("maxNewTokens", .integer(maxNewTokens)),
            ("maxTotalTokens", .integer(maxTotalTokens)), ("proposals", .integer(proposals)),
            ("acceptanceThreshold", .number(acceptanceThreshold)),
            ("acceptanceTopK", .integer(acceptanceTopK ?? 0)), ("teacher", teacher.json),
            ("fallback", fallback.json),
            ("acceptanceThresholds", .array(acceptanceThresholds.map { .number($0) })),
        ])
        if let seed { members["seed"] = .integer(Int(clamping: seed)) }
        return .object(members)
    }
}

/// Who chooses the tokens of a trace.
public enum TracePolicy: String, Sendable, CaseIterable {
    /// The teacher proposes and the student's probability decides.
    case rsd
    /// The teacher alone.
    case teacher
    /// The student alone.
    case student
}
