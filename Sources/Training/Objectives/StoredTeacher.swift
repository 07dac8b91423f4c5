import Basics
import Kernels
import Models
import Records

/// A teacher that is not there any more: what it said along the traces, from a file of
/// `rsd-generate targets`.
public struct StoredTeacher: TeacherDistributions {
    private let path: String
    private let targets: [String: [TokenTargets]]
    /// It is not there any more.
    public let isAsked = false

    /// Reads the file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - student: Who learns from it.
    /// - Throws: `Failure` for a file that is missing or malformed, or whose tokens are those of
    ///   another tokenizer.
    public init(_ path: String, of student: LanguageModel) throws {
        self.path = path
        let vocabulary = student.tokenizer.vocabularyDigest
        var targets: [String: [TokenTargets]] = [:]
        for record in try JSONLines.read(path, { try TokenTargets(json: $0) }) {
            guard record.vocabulary == vocabulary else {
                throw Failure(
                    .badData,
                    file: path,
                    at: "'\(record.id)'",
                    "holds tokens of another tokenizer (vocabulary \(record.vocabulary.prefix(12))) "
                        + "than the student's (\(vocabulary.prefix(12)))",
                    remedy: "Write it for this student: rsd-generate targets."
                )
            }
            for tokens in record.top {
                do { try student.check(tokens) } catch let failure as Failure {
                    throw failure.at("'\(record.id)'").inFile(path)
                }
            }
            targets[record.id, default: []].append(record)
        }
        self.targets = targets
    }

    /// The stored entries of the examples' tokens; those of the start of a trace are known too.
    public func distributions(along batch: MicroBatch) throws
        -> (_ rows: [Int32]) -> TeacherRows<Float>
    {
        // For each of the student's rows a record and a position in it; none within prompts.
        var places: [(record: TokenTargets, position: Int)?] = []
        for example in batch.examples {
            let completion = example.ids.dropFirst(example.promptCount)
            guard
                let record = targets[example.id]?.first(where: { $0.ids.starts(with: completion) })
            else {
                throw Failure(
                    .badData,
                    file: path,
                    at: "'\(example.id)'",
                    "has no targets for the \(completion.count) tokens of this trace",
                    remedy: "Add them: rsd-generate targets."
                )
            }
            places += (1..<example.promptCount).map { _ in nil }
            places += (0..<completion.count).map { (record, $0) }
        }
        return { rows in
            .top(
                rows.map { row in
                    guard let (record, position) = places[Int(row)] else {
                        preconditionFailure("StoredTeacher: row \(row) is within a prompt")
                    }
                    let rest = record.rest[position]
                    return TopTokens(
                        tokens: record.top[position],
                        logProbabilities: record.logProbabilities[position],
                        rest: rest.isNaN ? nil : rest
                    )
                }
            )
        }
    }
}
