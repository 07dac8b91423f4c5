import ArgumentParser
import Files
import Grading

/// `grade`: compares answers with reference answers.
struct GradeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grade",
        abstract: "Says whether answers are equivalent to reference answers.",
        discussion: """
            Reads JSON lines with "gold" and "pred" and writes each back with "equal": true or \
            false; other members stay as they are. A "pred" of null equals nothing.
            """
    )

    @Argument(help: ArgumentHelp("JSON Lines file; - for standard input.", valueName: "file"))
    var file: String

    func run() throws {
        let lines = try JSONLines.read(StandardInput.path(file)) { try Self.graded($0) }
        try StandardOutput.write(lines: lines)
    }

    /// A record with its verdict as the last member.
    ///
    /// - Throws: `Failure.badData` where an answer is missing or of another kind.
    static func graded(_ record: JSON) throws -> JSON {
        func text(_ value: JSON) -> String? {
            value.string ?? (value.number == nil ? nil : value.compact)
        }
        let gold = try record.require("gold", "text or a number", text)
        let prediction = try record.require("pred", "text, a number or null") { value -> String? in
            value.isNull ? "" : text(value)
        }
        var members = record.object ?? JSONObject()
        members["equal"] = nil
        members["equal"] = .bool(Grader.equal(gold: gold, prediction: prediction))
        return .object(members)
    }
}
