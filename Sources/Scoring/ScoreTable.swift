import Basics
import Experiments

/// How many samples were right, question by question: all that the numbers of a report need.
///
/// On disk as JSON Lines: one line a benchmark with its questions, then one line for each variant,
/// arm, seed and benchmark with the right samples of each question in that order.
public struct ScoreTable: Sendable, Equatable {
    /// The questions of one benchmark.
    public struct Questions: Sendable, Equatable {
        /// The benchmark's name.
        public var benchmark: String
        /// The ids, in order.
        public var ids: [String]
        /// The digest of the questions' records; nil where it is not known.
        public var digest: String?
        /// How many questions the benchmark has, where only the first ones were asked; else nil.
        public var total: Int?
    }

    /// What one arm did under one seed on one benchmark.
    public struct Cell: Sendable, Equatable {
        /// The variant of a sweep; nil in a plain experiment.
        public var variant: String?
        /// The arm.
        public var arm: String
        /// The root seed.
        public var seed: UInt64
        /// How many steps its student had been trained; nil for all.
        public var step: Int?
        /// The benchmark.
        public var benchmark: String
        /// k: samples of each question.
        public var samples: Int
        /// Right samples of each question, in the order of the questions.
        public var correct: [Int]
        /// Samples without an answer, over all questions.
        public var unparsed: Int
        /// Samples that ran into the token limit, over all questions.
        public var truncated: Int
        /// Samples whose answer was guessed, over all questions; nil where it is not known.
        public var guessed: Int?
        /// For each question 1 where the answer given most often is right, else 0.
        public var majority: [Int]?
        /// For each question 1 where the sample that the model named the best is right, else 0; nil where
        /// it was not asked.
        public var ranked: [Int]?
        /// The version of the grader that counted; nil where it is not known.
        public var grader: String?
        /// The digest of the samples' stage, that is of all that they depend on; nil where it is
        /// not known.
        public var stage: String?
    }

    /// The benchmarks, in order.
    public var questions: [Questions] = []
    /// Everything counted of students as they were trained.
    public var cells: [Cell] = []
    /// Everything counted of students on the way, after some steps.
    public var onTheWay: [Cell] = []

    /// A table of nothing yet.
    public init() {}

    /// The ids of a benchmark's questions.
    public func ids(_ benchmark: String) -> [String] {
        questions.first { $0.benchmark == benchmark }?.ids ?? []
    }

    /// The digest of a benchmark's questions, where it is known.
    public func digest(_ benchmark: String) -> String? {
        questions.first { $0.benchmark == benchmark }?.digest
    }

    /// The counts of one arm and seed on all benchmarks, as trained or after some step.
    public func cells(_ variant: String?, _ arm: String, _ seed: UInt64, step: Int? = nil) -> [Cell]
    {
        (step == nil ? cells : onTheWay).filter {
            $0.variant == variant && $0.arm == arm && $0.seed == seed && $0.step == step
        }
    }

    /// Adds counts.
    public mutating func add(_ cell: Cell) {
        if cell.step == nil { cells.append(cell) } else { onTheWay.append(cell) }
    }

    /// Puts counts in the place of those of the same samples.
    mutating func replace(_ cell: Cell) {
        func replaced(_ old: Cell) -> Cell {
            let isSame =
                old.stage == cell.stage && old.benchmark == cell.benchmark && old.arm == cell.arm
            return isSame ? cell : old
        }
        cells = cells.map(replaced)
        onTheWay = onTheWay.map(replaced)
    }

    /// The counts of an arm's students after some step, as a table by itself.
    public func after(_ step: Int, of arm: String) -> ScoreTable {
        var part = self
        part.onTheWay = []
        part.cells = onTheWay.filter { $0.arm == arm && $0.step == step }
        return part
    }

    /// The samples that were counted, by the name of their stage, with its digest.
    public var stages: [(name: String, digest: String)] {
        var seen: Set<String> = []
        return (cells + onTheWay).compactMap { cell in
            let step = cell.step.map { " step \($0)" } ?? ""
            let job = "\(cell.arm)\(step) seed \(cell.seed)"
            guard let stage = cell.stage, seen.insert("\(job) \(stage)").inserted else {
                return nil
            }
            let label = [job, cell.variant].compactMap(\.self)
            return ("\(Stage.Kind.evaluation.rawValue) \(label.joined(separator: " "))", stage)
        }
    }

    /// The grader's version; nil where one is not known.
    ///
    /// Where several have counted, all but the latest are named with what they counted: "3 (base
    /// seed 1), 4".
    public var grader: String? {
        let versions = Set(cells.map { $0.grader ?? "" }).sorted {
            (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1)
        }
        guard let latest = versions.last, !versions.contains("") else { return nil }
        let older = versions.dropLast().map { version in
            var counted: [String] = []
            for cell in cells where cell.grader == version {
                let name = "\(cell.arm) seed \(cell.seed)"
                if !counted.contains(name) { counted.append(name) }
            }
            return "\(version) (\(counted.joined(separator: ", ")))"
        }
        return (older + [latest]).joined(separator: ", ")
    }

    /// The counts of an experiment's own arms and seeds.
    public func part(of experiment: Experiment) -> ScoreTable {
        var part = self
        func isOther(_ cell: Cell) -> Bool {
            !experiment.seeds.contains(cell.seed)
                || !experiment.arms.contains { $0.name == cell.arm }
        }
        part.cells.removeAll(where: isOther)
        part.onTheWay.removeAll(where: isOther)
        return part
    }

    /// The counts of one arm, seed and benchmark.
    ///
    /// - Throws: `Failure.missingInput` when the table lacks them.
    public func cell(_ variant: String?, _ arm: String, _ seed: UInt64, _ benchmark: String) throws
        -> Cell
    {
        let found = cells.first {
            $0.variant == variant && $0.arm == arm && $0.seed == seed && $0.benchmark == benchmark
        }
        guard let found else {
            let place = ["\(arm) seed \(seed)", variant, benchmark].compactMap(\.self)
            throw Failure(
                .missingInput,
                at: place.joined(separator: ", "),
                "has no scores",
                remedy: "Run rsd-evaluate run, then rsd-evaluate report, for all arms and seeds."
            )
        }
        return found
    }
}

extension ScoreTable {
    /// One record a line.
    public var records: [JSON] {
        let asked = questions.map { questions -> JSON in
            var members = JSONObject([
                ("benchmark", .string(questions.benchmark)),
                ("questions", .array(questions.ids.map { .string($0) })),
            ])
            if let digest = questions.digest { members["digest"] = .string(digest) }
            if let total = questions.total { members["of"] = .integer(total) }
            return .object(members)
        }
        return asked
            + (cells + onTheWay).map { cell in
                var members = JSONObject()
                if let variant = cell.variant { members["variant"] = .string(variant) }
                members["arm"] = .string(cell.arm)
                members["seed"] = .integer(Int(cell.seed))
                members["step"] = cell.step.map { .integer($0) }
                members["benchmark"] = .string(cell.benchmark)
                members["samples"] = .integer(cell.samples)
                members["correct"] = .integers(cell.correct)
                members["unparsed"] = .integer(cell.unparsed)
                members["truncated"] = .integer(cell.truncated)
                members["guessed"] = cell.guessed.map { .integer($0) }
                members["majority"] = cell.majority.map { .integers($0) }
                members["ranked"] = cell.ranked.map { .integers($0) }
                members["grader"] = cell.grader.map { .string($0) }
                members["stage"] = cell.stage.map { .string($0) }
                return .object(members)
            }
    }

    /// Reads a file of scores.
    ///
    /// - Throws: `Failure` naming file and line of a malformed record.
    public static func read(_ path: String) throws -> ScoreTable {
        var table = ScoreTable()
        _ = try JSONLines.read(path) { json in try table.add(json) }
        return table
    }

    private mutating func add(_ asked: Questions) throws {
        guard !asked.ids.isEmpty, Set(asked.ids.map { Array($0.utf8) }).count == asked.ids.count
        else {
            throw Failure(
                .badData,
                at: "'questions'",
                asked.ids.isEmpty ? "is empty" : "holds an id twice"
            )
        }
        guard !questions.contains(where: { $0.benchmark == asked.benchmark }) else {
            throw Failure(
                .badData,
                at: "'benchmark'",
                "the questions of \(asked.benchmark) are there a second time"
            )
        }
        questions.append(asked)
    }

    private mutating func add(_ json: JSON) throws {
        let benchmark = try json.string("benchmark")
        if json["questions"] != nil {
            let ids = try json.require("questions", "a list of texts") { value -> [String]? in
                let ids = value.array?.compactMap(\.string)
                return ids?.count == value.array?.count ? ids : nil
            }
            try add(
                Questions(
                    benchmark: benchmark,
                    ids: ids,
                    digest: json["digest"]?.string,
                    total: try json["of"].map { _ in
                        try json.integer("of", in: ids.count + 1...JSON.mostCounted)
                    }
                )
            )
            return
        }
        guard questions.contains(where: { $0.benchmark == benchmark }) else {
            throw Failure(
                .badData,
                at: "'benchmark'",
                "found '\(benchmark)', whose questions no line before has"
            )
        }
        let correct = try json.integers("correct")
        let samples = try json.integer("samples")
        let all = 0...correct.count * min(max(0, samples), 65535)
        let majority = try json["majority"].map { _ in try json.integers("majority") }
        let ranked = try json["ranked"].map { _ in try json.integers("ranked") }
        func fits(_ values: [Int]?) -> Bool {
            values.map { $0.count == correct.count && $0.allSatisfy((0...1).contains) } ?? true
        }
        guard (1...65535).contains(samples), correct.count == ids(benchmark).count,
            correct.allSatisfy((0...samples).contains),
            fits(majority), fits(ranked),
            try ["unparsed", "truncated"].allSatisfy({ all.contains(try json.integer($0)) }),
            try json["guessed"].map({ _ in all.contains(try json.integer("guessed")) }) ?? true
        else {
            throw Failure(
                .badData,
                at: "'correct'",
                "this or another count does not fit \(ids(benchmark).count) questions of "
                    + "\(samples) samples each"
            )
        }
        let seed = try json.require("seed", "a whole number of at least 0") { value in
            value.integer.flatMap { UInt64(exactly: $0) }
        }
        let arm = try json.string("arm")
        let step = try json["step"].map { _ in try json.integer("step", in: 1...JSON.mostCounted) }
        let known = cells(json["variant"]?.string, arm, seed, step: step)
        guard !known.contains(where: { $0.benchmark == benchmark }) else {
            throw Failure(
                .badData,
                at: "'arm'",
                "the counts of \(arm) seed \(seed) on \(benchmark) are there a second time"
            )
        }
        add(
            Cell(
                variant: json["variant"]?.string,
                arm: arm,
                seed: seed,
                step: step,
                benchmark: benchmark,
                samples: samples,
                correct: correct,
                unparsed: try json.integer("unparsed"),
                truncated: try json.integer("truncated"),
                guessed: try json["guessed"].map { _ in try json.integer("guessed") },
                majority: majority,
                ranked: ranked,
                grader: json["grader"]?.string,
                stage: json["stage"]?.string
            )
        )
    }
}
