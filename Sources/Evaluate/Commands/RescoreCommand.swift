import ArgumentParser
import Experiments
import Files

/// `rescore`: grades stored samples again.
struct RescoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rescore",
        abstract: "Grades stored samples again, without sampling.",
        discussion: "Prints, for each file of samples, how many verdicts changed."
    )

    @OptionGroup var options: ExperimentOptions
    @OptionGroup var choice: JobOptions

    func run() throws {
        let experiment = try options.read()
        try choice.check(experiment)
        var (changed, total) = (0, 0)
        for job in try EvaluationJob.all(experiment, arm: choice.arm, seed: choice.seed) {
            for outcome in try Rescoring(job).run() {
                changed += outcome.changed
                total += outcome.total
                try StandardOutput.write(
                    "\(job.label) \(outcome.benchmark): \(outcome.changed) of \(outcome.total) "
                        + "verdicts changed\n"
                )
            }
        }
        guard total > 0 else {
            throw Failure(
                .missingInput,
                file: experiment.file,
                "no samples are stored yet",
                remedy: "Sample first: rsd-evaluate run \(experiment.file)"
            )
        }
        try StandardOutput.write("in all: \(changed) of \(total) verdicts changed\n")
    }
}
