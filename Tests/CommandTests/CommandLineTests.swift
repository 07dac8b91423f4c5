import ArgumentParser
import Basics
import Experiments
import Testing

@testable import Evaluate
@testable import Generate
@testable import Programs

/// What the programs take for a command line, without running anything.
struct CommandLineTests {
    @Test func commandLinesAreChecked() throws {
        let good = try #require(
            try GenerateCommand.parseAsRoot(["run", "a.yaml", "--shard", "2/3", "--limit", "4"])
                as? Generate.RunCommand
        )
        #expect(good.share.shard == Shard(index: 2, count: 3) && good.limit == 4)
        #expect((0..<6).filter { Shard(index: 2, count: 3).contains($0) } == [1, 4])
        for bad in [
            ["run"], ["run", "a.yaml", "--shard", "4/3"], ["run", "a.yaml", "--shard", "0/3"],
            ["run", "a.yaml", "--shard", "1"], ["run", "a.yaml", "--limit", "0"],
            ["bench", "--batch", "2"], ["bench", "--teacher", "x", "--tokens", "0"],
        ] {
            #expect(throws: (any Error).self, "\(bad)") { try GenerateCommand.parseAsRoot(bad) }
        }
        let missing = try GenerateCommand.parseAsRoot(["select", "nowhere.yaml"])
        #expect {
            var missing = missing; try missing.run()
        } throws: { error in
            (error as? Failure)?.kind == .missingInput
        }
    }

    @Test func aComparisonNeedsTwoRuns() {
        #expect(throws: (any Error).self) {
            try EvaluateCommand.parseAsRoot(["compare", "only-one"])
        }
    }

    @Test func failuresDecideTheExitCode() {
        struct Other: Error {}
        #expect(CommandLineMain.exitCode(for: Failure(.badData, "x")) == 65)
        #expect(CommandLineMain.exitCode(for: Interrupts.stopped(resume: "again")) == 75)
        #expect(CommandLineMain.exitCode(for: Other()) == 1)
    }
}

@Suite struct OptionSuggestionTests {
    static let help = "OPTIONS: --arm <name> --seed <n> --limit <n> --shard <i/N> --dry-run --help"

    @Test(arguments: [
        ("--lim", "--limit"), ("--limits", "--limit"), ("--dry", "--dry-run"), ("--arms", "--arm"),
        ("--s", nil), ("--quick", nil), ("--rsd", nil), ("--sede", nil),
    ]) func suggestsOnlyWhatIsMeant(_ typed: String, _ expected: String?) {
        let text = "Error: Unknown option '\(typed)'. Did you mean '--arm'?\nUsage: x"
        let hint = expected.map { ". Did you mean '\($0)'?" } ?? ""
        #expect(
            OptionSuggestion.mended(text, help: Self.help)
                == "Error: Unknown option '\(typed)'\(hint)\nUsage: x"
        )
    }
}
