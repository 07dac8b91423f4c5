import Basics
import Checkpoints

/// The page that tells of every key of an experiment file, made from the tables that read it.
public enum ExperimentReference {
    /// A heading, what is to be said below it, and keys.
    struct Part {
        var title: String
        var text: String
        var rows: [KeyRow]

        init(_ title: String, _ text: String = "", _ rows: [KeyRow] = []) {
            self.title = title
            self.text = text
            self.rows = rows
        }
    }

    /// The page, as `docs/experiment.md` has it.
    public static var markdown: String {
        let introduction = """
            # The keys of an experiment file

            `rsd-generate keys` prints this page from the tables that read the file.
            [experiments/micro.yaml](../experiments/micro.yaml) is an example with comments.

            The column "results" says whether results depend on a key. Where they do, changing it
            runs the stages that depend on it again; where they do not, existing runs stay valid.
            They depend indirectly on a key that names something else, such as a file, whose contents
            count, or a preset of other keys. Paths may hold environment variables, `${NAME}` or
            `${NAME:-default}`, and begin with `~`.

            """
        return introduction + parts.map(text).joined()
    }

    static var parts: [Part] {
        [
            Part(
                "The file",
                "The sections below tell of the maps.",
                KeyRow.rows(of: Experiment(file: "", text: ""))
            ),
            Part(
                "models.student, models.teacher, models.mentor",
                "Either a model that exists,",
                KeyRow.rows(of: ModelPath())
            ),
            Part(
                "models.student.scratch, models.teacher.scratch, models.mentor.scratch",
                "or one that is trained from random weights on lessons of the chain world, whose "
                    + "problems are chains of arithmetic such as 7-5*4-8?.",
                KeyRow.rows(of: ScratchModel())
            ),
            Part(
                "problems, benchmarks",
                "Problems come from a file,",
                KeyRow.rows(of: RecordFile())
            ),
            Part(
                "problems.chain, benchmarks.chain",
                "or are drawn from the chain world.",
                KeyRow.rows(of: ChainProblems())
            ),
            Part(
                "benchmarks",
                "Each of the list also has these keys.",
                KeyRow.rows(of: Benchmark())
            ),
            Part("template", "", KeyRow.rows(of: PromptSettings())),
            Part("answers", "", KeyRow.rows(of: AnswerSettings())),
            Part("generation", "", KeyRow.rows(of: GenerationSettings())),
            Part(
                "generation.relativeGate",
                "An empty map, `relativeGate: {}`, takes these defaults.",
                KeyRow.rows(of: RelativeGateSettings())
            ),
            Part("selection", "", KeyRow.rows(of: SelectionSettings())),
            Part("training", "", KeyRow.rows(of: TrainingSettings())),
            Part(
                "training.lora",
                "An empty map, `lora: {}`, takes these defaults.",
                KeyRow.rows(of: TrainingSettings.standardAdapters)
            ),
            Part(
                "training.multiTask",
                "An empty map, `multiTask: {}`, takes these defaults.",
                KeyRow.rows(of: MultiTask())
            ),
            Part("evaluation", "", KeyRow.rows(of: EvaluationSettings())),
            Part("evaluation.rank", "", KeyRow.rows(of: RankSettings())),
            Part(
                "arms",
                "Each arm is a map under its name. An arm of kind direct trains on the teacher's "
                    + "traces as they are, or on `traces`; the other kinds on traces that pass the "
                    + "filter of `selection`, or, on-policy, on what their student writes "
                    + "meanwhile; base on none.",
                KeyRow.rows(of: Arm(name: ""))
            ),
            Part(
                "arms.traces",
                "Traces from elsewhere, with the first key and those of one of three sources: a "
                    + "file, the problems themselves, another experiment.",
                KeyRow.rows(of: TraceEnding()) + KeyRow.rows(of: TraceFileKeys())
                    + KeyRow.rows(of: SolutionKeys()) + KeyRow.rows(of: OtherExperimentKeys())
            ),
            Part("arms.match", "", KeyRow.rows(of: Matching())),
            Part(
                "arms.onPolicy",
                "The student of an arm of kind on-policy writes what it is trained on: `training.batch` "
                    + "rollouts a step, each at another problem, and every problem once an epoch. "
                    + "`training.objective` is reverse-kl there unless told otherwise.",
                KeyRow.rows(of: OnPolicySettings())
            ),
            Part(
                "grid",
                "Each table of a sweep is a map under its name, from paths of keys such as "
                    + "`generation.acceptanceThreshold` to lists of values. Every combination of a "
                    + "table's values is an experiment of its own; tables do not combine. The maps "
                    + "on the way to a key must be in the file."
            ),
        ]
    }

    private static func text(of part: Part) -> String {
        var text = "\n## \(part.title)\n"
        if !part.text.isEmpty { text += "\n\(part.text)\n" }
        guard !part.rows.isEmpty else { return text }
        let table = MarkdownTable(
            columns: ["key", "value", "default", "results", "meaning"].map { ($0, .left) },
            rows: part.rows.map { row in
                [row.name, row.words, row.standard, row.influence.rawValue, row.meaning]
            }
        )
        return text + "\n" + table.text
    }
}
