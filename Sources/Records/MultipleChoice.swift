import Basics

/// Questions with one right and several wrong answers, in the columns of GPQA's files.
///
/// The choices of a question are put in an order drawn by the seed and the question's id, and the
/// reference answer is the letter of the right one. GPQA's authors ask that its examples never
/// appear online in plain text: outputs of this program name questions by id alone.
/// Source: Rein et al. 2023, arXiv:2311.12022.
enum MultipleChoice {
    private static let question = "Question"
    private static let right = "Correct Answer"
    private static let wrong = ["Incorrect Answer 1", "Incorrect Answer 2", "Incorrect Answer 3"]

    /// The records of a CSV file as problems.
    ///
    /// - Throws: `Failure.badData` naming a column that is missing, or the line of an empty field.
    static func records(_ path: String, seed: UInt64) throws -> [(line: Int, record: JSON)] {
        let table = try CSV.read(path)
        func column(_ name: String) throws -> Int {
            guard let index = table.columns.firstIndex(of: name) else {
                throw Failure(
                    .badData,
                    file: path,
                    at: "line 1",
                    "has no column '\(name)'; expected "
                        + ([question, right] + wrong).map { "'\($0)'" }.joined(separator: ", ")
                )
            }
            return index
        }
        let asked = try column(question)
        let choices = try [column(right)] + wrong.map(column)
        let ids = table.columns.firstIndex(of: "Record ID")
        let others = ["Subdomain", "High-level domain"].compactMap { name in
            table.columns.firstIndex(of: name).map { (name, $0) }
        }
        let stream = RandomStream(seed: seed, name: "choices")
        return try table.rows.enumerated().map { number, row in
            func field(_ index: Int) throws -> String {
                let text = String(row.fields[index].drop(while: \.isWhitespace).endTrimmed)
                guard text.isEmpty else { return text }
                throw Failure(
                    .badData,
                    file: path,
                    at: "line \(row.line)",
                    "'\(table.columns[index])' is empty"
                )
            }
            let id = try ids.map(field) ?? "\(number + 1)"
            let order = stream.permutation(
                count: choices.count,
                item: RandomStream.itemKey(id)
            )
            let letters = ["A", "B", "C", "D"]
            var text = try field(asked) + "\n"
            for (letter, choice) in zip(letters, order) {
                text += "\n\(letter)) \(try field(choices[choice]))"
            }
            let answer = zip(letters, order).first { $0.1 == 0 }?.0 ?? ""
            var members: [(key: String, value: JSON)] = [
                ("id", .string(id)), ("problem", .string(text)), ("answer", .string(answer)),
            ]
            members += others.map { ($0.0, .string(row.fields[$0.1])) }
            return (row.line, .object(JSONObject(members)))
        }
    }
}
