import ArgumentParser
import Basics
import Experiments
import Foundation
import Records
import Tracing

/// `rsd-generate contamination`: problems of a file that benchmarks also have.
struct ContaminationCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "contamination",
        abstract: "Lists problems or traces of a file that are also in a benchmark.",
        discussion: """
            Prints one line a pair, tab-separated: exact or near, the id in the file, the \
            benchmark, the id there, and the share of eight-word runs in common. Texts are the same \
            where their words, numbers, signs and operators are, whatever the case, the spacing, the \
            punctuation and the spelling of LaTeX; they are near from a share of 0.8 of the shorter \
            text on. Of records of a benchmark that say the same, the first is named, and of near \
            ones the 20 most alike. Questions themselves are not printed.
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
            for overlap in check.overlaps(of: entries).joined() {
                exact += overlap.isExact ? 1 : 0
                let share = overlap.share.map { String(format: "%.2f", $0) } ?? "1.00"
                let kind = overlap.isExact ? "exact" : "near"
                let fields = [kind, overlap.id, name, overlap.benchmarkID, share]
                try StandardOutput.write(CSV.tabSeparated(fields))
            }
        }
        guard strict, exact > 0 else { return }
        throw Failure(.failed, file: file, "shares \(exact) problems with a benchmark")
    }
}
