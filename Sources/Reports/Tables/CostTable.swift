import Basics
import Foundation

/// What the arms cost beside how well they answer, for people and for other programs.
///
/// Times say something about one machine only, so they are in files of their own: all others are the
/// same wherever an experiment is run.
struct CostTable {
    /// What is shown.
    let model: ReportModel

    /// A column: its heading, its unit or what it counts, and each arm's mean.
    struct Column {
        /// The heading.
        var name: String
        /// What it counts.
        var note: String
        /// An arm's mean over its seeds as text.
        var text: (_ arm: String) -> String
    }

    /// The columns behind those of arm and accuracy.
    var columns: [Column] {
        func tokens(
            _ name: String,
            _ note: String,
            _ value: @escaping (ReportModel.Cost) -> Int?
        ) -> Column {
            Column(name: name, note: note) { arm in
                model.meanCost(of: arm, value).map { NumberText.count(Int($0.rounded())) }
                    ?? NumberText.unknown
            }
        }
        func seconds(
            _ name: String,
            _ value: @escaping (ReportModel.Cost) -> Double?
        ) -> Column {
            Column(name: name, note: "s") { arm in
                model.meanCost(of: arm, value).map {
                    NumberText.fixed($0, decimals: $0 < 10 ? 1 : 0)
                } ?? NumberText.unknown
            }
        }
        return [
            tokens("target", "tokens", \.targetTokens),
            tokens("training", "tokens", \.trainingTokens),
            tokens("sampled", "tokens", \.sampledTokens),
            tokens("teacher", "tokens", \.teacherTokens),
            seconds("generation", \.generationSeconds), seconds("training", \.trainingSeconds),
        ]
    }

    /// How to read the columns, a sentence or two each.
    static let notes = [
        "Means over the seeds, for one student each. Target tokens are those that were trained, "
            + "training tokens all that passed through the student, prompts included, both over all "
            + "epochs.",
        "Sampled tokens are those of all tries, kept or not, and of rollouts made while training. "
            + "Teacher tokens are the positions at which the teacher was asked: at each token of the "
            + "tries that it took part in, and in training where its distributions are learned.",
        "Generation is the wall time of tries, of choosing among them, and of rollouts; training that "
            + "of all else in training. Times are those of the machines of this run and tell nothing "
            + "of others; tokens are the same everywhere.",
        "An arm is charged what it would cost alone: tries that several arms share count in full for "
            + "each, and so do the traces and the training of an arm whose student it starts from. "
            + "The models that the experiment begins with, scoring, and arms that an arm is only "
            + "matched with are not charged.",
        "A dash means not known, as for texts that were written elsewhere.",
    ]

    /// One row an arm, in words; empty where no cost is known.
    var markdown: String {
        guard !model.costs.isEmpty else { return "" }
        let columns = columns
        var table = MarkdownTable(
            columns: [("arm", .left), ("accuracy, %", .right)]
                + columns.map { ("\($0.name), \($0.note)", .right) }
        )
        for arm in model.arms {
            let score = model.score(arm: arm.name, benchmark: model.headline)
            table.rows.append(
                [arm.name, NumberText.percent(score?.accuracy, score?.interval)]
                    + columns.map { $0.text(arm.name) }
            )
        }
        return "# \(MarkdownTable.escape(model.experiment)): costs\n\n" + table.text + "\n"
            + Self.notes.map { "- \($0)\n" }.joined()
    }
}

/// The costs as comma-separated values, one row an arm and seed; a report without runs reads them.
enum CostFile {
    private static let columns = [
        "arm", "seed", "steps", "target_tokens", "training_tokens", "sampled_tokens",
        "teacher_tokens", "generation_seconds", "training_seconds", "stage",
    ]

    /// The file's text.
    static func text(_ costs: [ReportModel.Cost]) -> String {
        func text(_ value: Int?) -> String { value.map(String.init) ?? "" }
        func text(_ value: Double?) -> String {
            value.map { "\(($0 * 1000).rounded() / 1000)" } ?? ""
        }
        return CSV.text(
            [columns]
                + costs.map { cost in
                    [
                        cost.arm, "\(cost.seed)", text(cost.steps), text(cost.targetTokens),
                        text(cost.trainingTokens), text(cost.sampledTokens),
                        text(cost.teacherTokens), text(cost.generationSeconds),
                        text(cost.trainingSeconds), cost.stage ?? "",
                    ]
                }
        )
    }

    /// Reads a file; nothing where there is none.
    ///
    /// - Throws: `Failure.badData` naming the line of a row that no report has written.
    static func read(_ path: String) throws -> [ReportModel.Cost] {
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        let file = try CSV.read(path)
        func failure(_ line: Int, _ found: String, _ expected: String) -> Failure {
            Failure(
                .badData,
                file: path,
                at: "line \(line)",
                "found \(found); expected \(expected)",
                remedy: "Remove the file; a report from the runs writes it again."
            )
        }
        guard file.columns == columns else {
            throw failure(
                1,
                "columns \(file.columns.joined(separator: ", ").shortened(to: 200))",
                columns.joined(separator: ", ")
            )
        }
        return try file.rows.map { line, fields in
            func number(_ place: Int, in range: ClosedRange<Double>) throws -> Double? {
                guard !fields[place].isEmpty else { return nil }
                guard let value = Double(fields[place]), range.contains(value) else {
                    throw failure(
                        line,
                        "'\(fields[place].shortened(to: 40))' as \(columns[place])",
                        "a number from 0 to \(range.upperBound), or nothing"
                    )
                }
                return value
            }
            func count(_ place: Int) throws -> Int? {
                try number(place, in: 0...1e15).map { Int($0) }
            }
            guard let seed = UInt64(fields[1]) else {
                throw failure(line, "'\(fields[1].shortened(to: 40))' as seed", "a whole number")
            }
            return ReportModel.Cost(
                arm: fields[0],
                seed: seed,
                stage: fields[9].isEmpty ? nil : fields[9],
                steps: try count(2),
                targetTokens: try count(3),
                trainingTokens: try count(4),
                sampledTokens: try count(5),
                teacherTokens: try count(6),
                generationSeconds: try number(7, in: 0...1e12),
                trainingSeconds: try number(8, in: 0...1e12)
            )
        }
    }
}
