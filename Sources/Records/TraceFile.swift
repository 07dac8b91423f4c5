import Basics
import Foundation

extension Trace {
    /// The record as one JSON object.
    public var json: JSON {
        [
            "id": .string(id),
            "try": .integer(attempt),
            "seed": .integer(Int(truncatingIfNeeded: seed)),
            "policy": .string(policy.rawValue),
            "seed_key": .string(seedKey),
            "prompt": .string(promptDigest),
            "threshold": .number(acceptanceThreshold),
            "stop": .string(stop.rawValue),
            "verdict": .string(verdict.rawValue),
            "text": .string(text),
            "ids": .integers(ids),
            "source": .string(String(source.map(\.rawValue))),
            "p_teacher": .numbers(teacherProbability),
            "p_student": .numbers(studentProbability),
            "refused": .array(refusals.map(\.json)),
            "acceptance": .array(
                acceptance.map { [.number($0.threshold), .number($0.share)] }
            ),
        ]
    }

    /// Reads a record and checks that it agrees with itself.
    ///
    /// - Throws: `Failure.badData` naming the member: lists of different lengths, probabilities
    ///   outside [0, 1], refusals outside the completion, or a teacher's token below the threshold.
    public init(json: JSON) throws {
        let ids = try json.tokens("ids")
        let source = try json.require("source", "a string of 't' and 's'") {
            value -> [TokenSource]? in
            guard let text = value.string else { return nil }
            let sources = text.compactMap(TokenSource.init(rawValue:))
            return sources.count == text.count ? sources : nil
        }
        let teacher = try json.probabilities("p_teacher")
        let student = try json.probabilities("p_student")
        for (name, count) in [
            ("source", source.count), ("p_teacher", teacher.count), ("p_student", student.count),
        ] where count != ids.count {
            throw Failure(
                .badData,
                at: "'\(name)'",
                "found \(count) entries; expected \(ids.count), as many as 'ids'"
            )
        }
        self.init(
            id: try json.filledString("id"),
            attempt: try json.naturalNumber("try"),
            seed: UInt64(bitPattern: Int64(try json.integer("seed"))),
            policy: try json.choice("policy"),
            seedKey: try json.string("seed_key"),
            promptDigest: try json.string("prompt"),
            acceptanceThreshold: try json.number("threshold"),
            ids: ids,
            source: source,
            teacherProbability: teacher,
            studentProbability: student,
            refusals: try json.array("refused").map { try Refusal(json: $0) },
            acceptance: try json.array("acceptance").map { pair in
                guard let items = pair.array, items.count == 2, let threshold = items[0].number,
                    let share = items[1].number
                else {
                    throw Failure(
                        .badData,
                        at: "'acceptance'",
                        "found \(pair.compact.prefix(60)); expected [threshold, share]"
                    )
                }
                return Acceptance(threshold: threshold, share: share)
            },
            text: try json.string("text"),
            stop: try json.choice("stop"),
            verdict: try json.choice("verdict")
        )
        try checkRule()
    }

    /// Checks that every token satisfies the rule it was chosen by.
    ///
    /// - Throws: `Failure.badData` naming the position of a teacher's token that the student finds
    ///   less likely than the threshold.
    public func checkRule() throws {
        // Probabilities are rounded to Float when they are recorded, and so is the threshold here.
        let threshold = Float(acceptanceThreshold)
        for position in ids.indices
        where threshold > 0 && source[position] == .teacher
            && !(studentProbability[position] >= threshold)
        {
            throw Failure(
                .badData,
                at: "'p_student'[\(position)]",
                "found \(studentProbability[position]) for a token of the teacher; expected at "
                    + "least \(acceptanceThreshold)"
            )
        }
        for refusal in refusals where refusal.position > ids.count {
            throw Failure(
                .badData,
                at: "'refused'",
                "found position \(refusal.position); expected at most \(ids.count)"
            )
        }
    }

    /// Reads a file of tries, without the line that an interrupted write left behind.
    ///
    /// - Throws: As `forEach`.
    public static func read(_ path: String) throws -> [Trace] {
        var traces: [Trace] = []
        try forEach(in: path) { traces.append($0.record) }
        return traces
    }

    /// Hands on the tries of a file one by one, without the line that an interrupted write left
    /// behind.
    ///
    /// - Throws: `Failure` naming file and lines of records that are malformed or contradict
    ///   themselves, or of a try that is there twice, and what `body` throws.
    public static func forEach(
        in path: String,
        file: FileHandle? = nil,
        _ body: (JSONLines.Placed<Trace>) throws -> Void
    ) throws {
        var seen: Set<String> = []
        let damaged = try JSONLines.salvage(
            path,
            file: file,
            { json in
                let trace = try Trace(json: json)
                guard seen.insert("\(trace.attempt) \(trace.id)").inserted else {
                    throw Failure(
                        .badData,
                        at: "'try'",
                        "try \(trace.attempt) of '\(trace.id)' occurs a second time"
                    )
                }
                return trace
            },
            body
        )
        let lost = "Then run the command that made it again: only what these lines held is missing."
        if let failure = JSONLines.failure(damaged, path, lost) { throw failure }
    }
}

extension JSON {
    /// A required whole number of at least 0.
    func naturalNumber(_ key: String) throws -> Int {
        try require(key, "a whole number of at least 0") { value in
            value.integer.flatMap { $0 >= 0 ? $0 : nil }
        }
    }

    /// A required list of token ids.
    func tokens(_ key: String) throws -> [Int32] {
        try integers(key).map { id in
            guard let token = Int32(exactly: id), token >= 0 else {
                throw Failure(.badData, at: "'\(key)'", "found \(id); expected token ids")
            }
            return token
        }
    }

    /// A required list of probabilities; `null` reads as not-a-number.
    func probabilities(_ key: String) throws -> [Float] {
        try numbers(key).map { number in
            guard number.isNaN || JSON.isProbability(number) else {
                throw Failure(.badData, at: "'\(key)'", "found \(number); expected 0 to 1")
            }
            return Float(number)
        }
    }

    /// Whether a number is a probability; rounding may lift one a little above 1.
    static func isProbability(_ number: Double) -> Bool {
        (0...1.000001).contains(number)
    }

    /// A required member that is one of a closed set of words.
    func choice<Choice>(_ key: String) throws -> Choice
    where Choice: RawRepresentable<String> & CaseIterable {
        let words = "one of " + Choice.allCases.map(\.rawValue).joined(separator: ", ")
        let word = try require(key, words, \.string)
        guard let choice = Choice(rawValue: word) else {
            throw Failure(
                .badData,
                at: "'\(key)'",
                "found '\(word.shortened(to: 60))'; expected \(words)"
            )
        }
        return choice
    }
}
