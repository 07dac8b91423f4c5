import ArgumentParser
import Basics
import Experiments
import Grading
import Kernels

/// `grade`: compares answers with reference answers.
struct GradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grade",
        abstract: "Says whether answers are equivalent to reference answers.",
        discussion: """
            Reads JSON lines with "gold" and "pred" and writes each back with "equal": true or \
            false; other members stay as they are. A "pred" of null equals nothing. A line that is \
            no such record is answered by {"line": its number, "error": why}, and the program then \
            ends with code 65. Lines are handled as they come, so a file may be of any size.
            """
    )

    @Argument(help: ArgumentHelp("JSON Lines file; - for standard input.", valueName: "file"))
    var file: String

    func run() throws {
        var first: Failure?
        var count = 0
        try JSONLines.stream(StandardInput.path(file)) { lines in
            let results = ThreadPool.map(lines) { line in
                Result { try Self.graded(line: line.bytes) }
            }
            let output = zip(lines, results).map { line, result -> JSON in
                switch result {
                case .success(let record): return record
                case .failure(let error):
                    let failure = error as? Failure ?? Failure(.badData, "\(error)")
                    first = first ?? failure.at("line \(line.number)").inFile(file)
                    count += 1
                    return [
                        "line": .integer(line.number), "error": .string(failure.description),
                    ]
                }
            }
            try StandardOutput.write(lines: output)
        }
        guard var failure = first else { return }
        if count > 1 { failure.message += "; \(count) lines in all could not be read" }
        throw failure
    }

    /// The record of a line with its verdict; bytes that are not UTF-8 and halves of characters
    /// count as replacement characters.
    ///
    /// - Throws: `Failure.badData` where the line is not JSON or no pair of answers.
    static func graded(line: [UInt8]) throws -> JSON {
        let isText = String(validating: line, as: UTF8.self) != nil
        return try graded(
            JSON(
                replacingLoneSurrogatesIn: isText
                    ? line : Array(String(decoding: line, as: UTF8.self).utf8)
            )
        )
    }

    /// A record with its verdict as the last member.
    ///
    /// - Throws: `Failure.badData` where an answer is missing or of another kind.
    static func graded(_ record: JSON) throws -> JSON {
        let gold = try record.require("gold", JSON.stringOrNumberKind, \.stringOrNumber)
        let prediction = try record.require("pred", "null, \(JSON.stringOrNumberKind)") { value in
            value.isNull ? "" : value.stringOrNumber
        }
        var members = record.object ?? JSONObject()
        members["equal"] = nil
        members["equal"] = .bool(Grader.equal(gold: gold, prediction: prediction))
        return .object(members)
    }
}
