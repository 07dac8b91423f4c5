import ArgumentParser
import Basics
import Experiments
import Programs
import Tracing

/// `rsd-generate targets`: a teacher's distributions along the traces that arms train on.
struct TargetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets",
        abstract: "Keeps what the teacher says along the selected traces.",
        discussion: """
            For each trace that an arm trains on, and each of its tokens, the teacher's most likely \
            tokens with their probabilities, and the rest's. A training with teacherTargets: FILE \
            learns a divergence from them without the teacher. The traces have to be selected; what \
            the file holds already is not made again.
            """
    )

    @OptionGroup var options: ExperimentOptions
    @Option(help: ArgumentHelp("The file to write, or to add to.", valueName: "file"))
    var to: String
    @Option(help: ArgumentHelp("The teacher's n most likely tokens are kept.", valueName: "n"))
    var top = 20

    func validate() throws {
        guard !(1...TargetMaking.mostTokens).contains(top) else { return }
        throw ValidationError("--top is \(top); expected 1 to \(TargetMaking.mostTokens)")
    }

    func run() throws {
        Interrupts.install()
        let models = ModelStore()
        var count = 0
        for variant in try options.variants() {
            let before = count
            try TargetMaking(RunLayout(variant), models, count: top)
                .run(options.arms(of: variant), into: to) { count = before + $0 }
        }
        StandardError.write(line: "\(to): targets of \(count) traces added")
    }
}
