import Autograd
import Basics
import ChatTemplates
import Decoding
import Experiments
import Kernels
import Models
import Records

/// What a teacher says along the examples of a micro-batch.
public protocol TeacherDistributions {
    /// Whether it reads the examples itself, which takes time.
    var isAsked: Bool { get }

    /// Prepares to answer for a micro-batch.
    ///
    /// - Returns: What it says at some rows of the student's input; asked only of rows that have a
    ///   target, a few at a time.
    /// - Throws: `Failure` when the teacher has nothing to say of an example.
    func distributions(along batch: MicroBatch) throws -> (_ rows: [Int32]) -> TeacherRows<Float>
}

/// A frozen model on this machine as teacher, its weights as its file stores them.
///
/// It reads a micro-batch once. Its head is applied to the few rows that the student's is applied to,
/// so that the logits of neither ever exist whole.
public struct LocalTeacher: TeacherDistributions {
    let model: LanguageModel
    let vocabularies: VocabularyMap
    private let shared: SharedTokens
    /// It is.
    public let isAsked = true

    /// A teacher of a student.
    ///
    /// - Throws: `Failure.configuration` when their vocabularies have too little in common.
    public init(_ model: LanguageModel, of student: LanguageModel) throws {
        self.model = model
        vocabularies = try VocabularyMap(teacher: model, student: student)
        let pairs = vocabularies.studentToTeacher.prefix(student.vocabularySize).enumerated()
            .filter { 0 <= $1 && $1 < model.vocabularySize }
        shared = SharedTokens(
            student: pairs.map { Int32($0.offset) },
            teacher: pairs.map(\.element)
        )
    }

    /// How its vocabulary differs from the student's, for a log; nil where they are the same.
    var difference: String? {
        vocabularies.isIdentity ? nil : "vocabularies: \(vocabularies.summary)"
    }

    /// What it reads in place of the student's prompt; nil where vocabulary and template are the
    /// student's.
    ///
    /// - Throws: `Failure` when its vocabulary cannot spell the prompt.
    public func prompt(
        for problem: String,
        after context: [ChatMessage],
        _ template: PromptSettings
    ) throws -> [Int32]? {
        guard !vocabularies.isIdentity || template.isOfModel else { return nil }
        return try template.encode(problem: problem, after: context, with: model.tokenizer)
    }

    /// The memory that it takes beside a student in micro-batches of `rows` tokens.
    public func byteCount(rows: Int) -> Int {
        MemoryEstimate.teacherBytes(
            model.configuration,
            storedBytes: model.transformer.byteCount,
            rows: rows
        )
    }

    /// One pass over all examples, and the head over the rows that are asked for.
    public func distributions(along batch: MicroBatch) throws
        -> (_ rows: [Int32]) -> TeacherRows<Float>
    {
        var sequences: [[Int32]] = []
        // The teacher's row for each of the student's.
        var places: [Int] = []
        var start = 0
        for example in batch.examples {
            let (prompt, completion) = (
                example.ids.prefix(example.promptCount), example.ids.dropFirst(example.promptCount)
            )
            try checkKnown(completion, of: example.id)
            let reading = TeacherReading(
                of: completion,
                after: example.teacherPrompt ?? Array(prompt),
                vocabularies: vocabularies
            )
            try model.check(reading.tokens)
            places += prompt.dropFirst().map { _ in start } + reading.rows.map { start + $0 }
            sequences.append(reading.tokens)
            start += reading.tokens.count
        }
        let hidden = model.transformer.hidden(TokenBatch(sequences), on: nil).value
        let (head, shared) = (model.transformer.head(on: nil), shared)
        return { rows in
            let states = Tensor<Float>(uninitialized: [rows.count, hidden.columns])
            gatherRows(
                hidden.buffer,
                columns: hidden.columns,
                ids: rows.map { Int32(places[Int($0)]) },
                into: states.buffer
            )
            return .logits(Variable(states).linear(head).value.buffer, shared)
        }
    }

    private func checkKnown(_ completion: ArraySlice<Int32>, of id: String) throws {
        let count = vocabularies.studentVocabularySize
        guard let token = completion.first(where: { Int($0) >= count }) else { return }
        throw Failure(
            .badData,
            at: "trace '\(id)'",
            "holds token \(token), which the student's tokenizer does not define; its last is "
                + "\(count - 1)"
        )
    }
}
