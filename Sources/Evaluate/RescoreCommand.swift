import ArgumentParser
import Basics
import Experiments
import Programs
import Scoring

/// `rescore`: grades stored samples again.
struct RescoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescore",
        abstract: "Grades stored samples again, without sampling.",
        discussion: """
            Prints, for each file of samples, how many verdicts changed. --from-scores finds the \
            samples by scores.jsonl in the results folder, needs no models, and writes the new \
            counts there; report --from-scores makes the tables of them.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Flag(help: "Take from scores.jsonl which samples there are, and count them again there.")
    var fromScores = false

    func run() throws {
        let experiment = try options.file.read()
        let variants = try options.variants(of: experiment)
        var (changed, total) = (0, 0)
        var stored = fromScores ? try StoredScores(experiment) : nil
        let jobs =
            try stored?.jobs.filter(isChosen) ?? EvaluationJob.jobs(of: options.graphs(variants))
        for job in jobs {
            for outcome in try Rescoring(job).run() {
                changed += outcome.changed
                total += outcome.total
                try StandardOutput.write(
                    "\(job.label) \(outcome.benchmark): \(outcome.changed) of \(outcome.total) "
                        + "verdicts changed\n"
                )
            }
            try stored?.recount(job)
        }
        guard total > 0 else {
            throw Failure(
                .missingInput,
                file: experiment.file,
                "no samples are stored yet",
                remedy: "Sample first: rsd-evaluate run \(experiment.file)"
            )
        }
        try stored?.write()
        try StandardOutput.write("in all: \(changed) of \(total) verdicts changed\n")
    }

    private func isChosen(_ job: EvaluationJob) -> Bool {
        (options.arm == nil || job.arm.name == options.arm)
            && (options.seed == nil || job.seed == options.seed)
            && (options.variant == nil || job.experiment.variant?.name == options.variant)
    }
}
