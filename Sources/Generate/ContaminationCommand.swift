import ArgumentParser
import Datasets
import Experiments
import Files
import Foundation

/// `rsd-generate contamination`: problems of a file that benchmarks also have.
struct ContaminationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contamination",
        abstract: "Lists problems or traces of a file that are also in a benchmark.",
        discussion: """
            Prints one line a pair, tab-separated: exact or near, the id in the file, the \
            benchmark, the id there, and the share of eight-word runs in common. Texts are the same \
            where their letters and digits are; they are near from a share of 0.8 of the shorter \
            text on. Questions themselves are not printed.
            """
    )

    @Argument(help: ArgumentHelp("JSON Lines file of problems or traces.", valueName: "file"))
    var file: String
    @Option(help: ArgumentHelp("A benchmark's file; may be repeated.", valueName: "file"))
    var against: [String]
    @Flag(help: "End with code 1 where there is an exact overlap.") var strict = false

    func run() throws {
        let entries = try Contamination.entries(file)
        var exact = 0
        for path in against {
            let check = Contamination(try Contamination.entries(path))
            let name = URL(filePath: path).deletingPathExtension().lastPathComponent
            for overlap in entries.flatMap(check.overlaps) {
                exact += overlap.isExact ? 1 : 0
                let share = overlap.share.map { String(format: "%.2f", $0) } ?? "1.00"
                let kind = overlap.isExact ? "exact" : "near"
                print([kind, overlap.id, name, overlap.benchmarkID, share].joined(separator: "\t"))
            }
        }
        guard strict, exact > 0 else { return }
        throw Failure(.failed, file: file, "shares \(exact) problems with a benchmark")
    }
}

/// Looks for an experiment's problems in its benchmarks, as far as both are files.
struct ContaminationCheck {
    private let experiments: [Experiment]
    /// Where warnings go.
    var warn: (String) -> Void = { FileHandle.standardError.write(Data(($0 + "\n").utf8)) }

    /// Looks at the variants of an experiment.
    init(_ experiments: [Experiment]) { self.experiments = experiments }

    /// Compares each file of problems with each benchmark once.
    ///
    /// A benchmark whose file is not there yet is passed over: generation does not need it.
    ///
    /// - Throws: `Failure.badData` for an exact overlap where the experiment refuses those, and what
    ///   reading the files throws.
    func run() throws {
        var seen: Set<String> = []
        for experiment in experiments where experiment.contamination != .ignore {
            guard let problems = experiment.problems?.file,
                experiment.arms.contains(where: \.isGenerated),
                FileManager.default.fileExists(atPath: problems.path)
            else { continue }
            for benchmark in experiment.benchmarks {
                guard let file = benchmark.source.file,
                    FileManager.default.fileExists(atPath: file.path),
                    seen.insert("\(problems) \(file)").inserted
                else { continue }
                try compare(try problems.problems(), with: benchmark, of: experiment)
            }
        }
    }

    private func compare(
        _ problems: ProblemSet,
        with benchmark: Benchmark,
        of experiment: Experiment
    ) throws {
        let check = Contamination(try benchmark.problems().problems.map { ($0.id, $0.problem) })
        let overlaps = problems.problems.flatMap { check.overlaps(of: ($0.id, $0.problem)) }
        for (kind, found) in [
            ("word for word", overlaps.filter(\.isExact)),
            ("nearly", overlaps.filter { !$0.isExact }),
        ] where !found.isEmpty {
            let ids = found.prefix(10).map(\.id).joined(separator: ", ")
            let rest = found.count > 10 ? ", ..." : ""
            let message = "\(found.count) problems are \(kind) in \(benchmark.name): \(ids)\(rest)"
            if experiment.contamination == .refuse, found[0].isExact {
                throw Failure(
                    .badData,
                    file: experiment.problems?.file?.path,
                    message,
                    remedy: "Leave them out of the file, or set contamination: warn."
                )
            }
            warn("warning: \(message)")
        }
    }
}
