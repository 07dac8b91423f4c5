import ArgumentParser
import Basics
import Experiments
import Testing

@testable import Evaluate
@testable import Generate

/// What the programs take for a command line, without running anything.
struct CommandLineTests {
    @Test func commandLinesAreChecked() throws {
        let good = try #require(
            try GenerateCommand.parseAsRoot(["run", "a.yaml", "--shard", "2/3", "--limit", "4"])
                as? Generate.RunCommand
        )
        #expect(good.shard == Shard(index: 2, count: 3) && good.limit == 4)
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
}
