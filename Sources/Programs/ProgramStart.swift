import ArgumentParser
import Basics
import Experiments
import Foundation

/// What the three programs say of themselves.
public enum ProgramText {
    /// The version of the package and of its three programs.
    public static let version = "0.1.0"

    /// The environment variables that every program heeds, for its help.
    public static let environment = """
        Environment: RSD_RUNS and RSD_RESULTS are the folders of runs and results (default: runs, \
        results); RSD_THREADS is the number of threads (default: the physical cores, at most \
        16, and no more than a quota of CPU time pays for); RSD_INSTRUCTION_SET \
        holds the kernels back to portable, avx2 or avx512; NO_COLOR leaves the progress line \
        without color. Paths in an experiment file may hold variables as ${NAME} and \
        ${NAME:-default}; the files of this package take models and data from RSD_MODELS and \
        RSD_DATA.
        """
}

extension ParsableCommand {
    /// Parses the command line, works, and ends the process with the contract's exit code.
    public static func start() {
        let arguments = Array(CommandLine.arguments.dropFirst())
        CommandLineMain.run {
            do {
                try checkHelp(arguments)
                var command = try parseAsRoot(arguments)
                try command.run()
            } catch let failure as Failure {
                throw failure
            } catch {
                // Help and usage errors, worded and numbered by the parser.
                end(error, arguments)
            }
        }
    }

    /// Refuses help on a command that there is not, which the parser answers with help on all.
    private static func checkHelp(_ arguments: [String]) throws {
        let names = configuration.subcommands.compactMap { $0.configuration.commandName }
        guard arguments.first == "help", let topic = arguments.dropFirst().first,
            !topic.hasPrefix("-"), !names.contains(topic)
        else { return }
        throw ValidationError(
            "Unknown command '\(topic)'; expected one of \(names.joined(separator: ", "))."
        )
    }

    private static func end(_ error: any Error, _ arguments: [String]) -> Never {
        let command = configuration.subcommands.first {
            $0.configuration.commandName == arguments.first
        }
        let help = command.map { helpMessage(for: $0) } ?? helpMessage()
        let text = fullMessage(for: error)
        let mended = OptionSuggestion.mended(text, help: help)
        guard mended != text else { exit(withError: error) }
        StandardError.write(mended.printableLines + "\n")
        Foundation.exit(exitCode(for: error).rawValue)
    }
}

/// What a mistyped option may have meant.
enum OptionSuggestion {
    /// A usage error with a suggestion that deserves the name, or without one.
    ///
    /// The parser takes any option within three edits, which makes `--arm` out of `--lim`.
    static func mended(_ text: String, help: String) -> String {
        let pattern = /Unknown option '([^']+)'(?:\. Did you mean '[^']+'\?)?/
        guard let match = text.firstMatch(of: pattern) else { return text }
        let options = Set(help.matches(of: /--[a-z][a-z0-9-]*/).map { String($0.output) })
        let name = String(match.output.1)
        let hint = suggestion(for: name, among: options).map { ". Did you mean '\($0)'?" } ?? ""
        return text.replacingCharacters(in: match.range, with: "Unknown option '\(name)'\(hint)")
    }

    /// The only option that begins with the name, or else the only nearest one, a letter in four
    /// away at most.
    static func suggestion(for name: String, among options: Set<String>) -> String? {
        let longer = options.filter { $0.hasPrefix(name) && $0 != name }
        if !longer.isEmpty { return longer.count == 1 ? longer.first : nil }
        let typed = Array(name.drop { $0 == "-" })
        let near = options.map { ($0, distance(typed, Array($0.dropFirst(2)))) }
            .filter { $0.1 <= max(1, typed.count / 4) }
        guard let least = near.map(\.1).min() else { return nil }
        let nearest = near.filter { $0.1 == least }
        return nearest.count == 1 ? nearest[0].0 : nil
    }

    /// Letters put in, taken out or replaced to make one word of another.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        var row = Array(0...b.count)
        for (i, letter) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let replaced = diagonal + (letter == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
            }
        }
        return row[b.count]
    }
}
