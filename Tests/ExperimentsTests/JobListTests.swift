import Basics
import Foundation
import Testing

@testable import Experiments

/// The jobs that an experiment is submitted as.
@Suite struct JobListTests {
    static func graph(_ text: String, _ folder: String) throws -> StageGraph {
        let experiment = try Experiment(text: text, file: "small.yaml")
        return try StageGraph(RunLayout(experiment, environment: ["RSD_RUNS": folder]))
    }

    static func arguments(_ job: JobList.Job) -> [String] {
        job.commands.map { $0.arguments.joined(separator: " ") }
    }

    /// `Fixtures/jobs-*.txt` are written anew where the variable RSD_RECORD is set.
    @Test func theScriptsOfMicro() throws {
        try withFolder { folder in
            let experiment = try Experiment.read("\(ExperimentFileTests.folder)/micro.yaml")
            let graph = try StageGraph(RunLayout(experiment, environment: ["RSD_RUNS": folder]))
            let scripts = JobScripts(
                try JobList([graph], shards: 3),
                programs: ".build/release",
                folder: "runs/micro/jobs",
                cores: 8,
                hours: 24
            )
            func lines(_ text: String) -> [String] {
                text.replacing(experiment.file, with: "experiments/micro.yaml")
                    .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
            }
            let slurm = scripts.list.jobs.map { "# \($0.name)\n\(scripts.slurm($0))" }
            try PinnedStageTests.compare(
                lines(slurm.joined(separator: "\n")),
                with: "jobs-slurm.txt"
            )
            try PinnedStageTests.compare(lines(scripts.parallel), with: "jobs-parallel.txt")
        }
    }

    @Test func anArmThatWaitsForAStudentHasARoundOfItsOwn() throws {
        try withFolder { folder in
            let text = experimentText(
                arms:
                    "arms: {base: {kind: base}, rsd: {kind: rsd}, again: {kind: rsd, student: rsd}}"
            )
            let list = try JobList([Self.graph(text, folder)], shards: 2)
            #expect(
                list.jobs.map(\.name) == [
                    "prepare", "traces", "merge", "training", "traces-2", "merge-2", "training-2",
                    "samples", "report",
                ]
            )
            let jobs = list.jobs
            #expect(Self.arguments(jobs[1]) == ["run small.yaml --arm rsd"])
            #expect(Self.arguments(jobs[4]) == ["run small.yaml --arm again"])
            #expect(Self.arguments(jobs[5]) == ["run small.yaml --arm again --merge"])
            #expect(
                Self.arguments(jobs[6]) == [
                    "run small.yaml --arm again --seed 1", "run small.yaml --arm again --seed 2",
                ]
            )
            #expect(jobs.map(\.processCount) == [1, 2, 1, 2, 2, 1, 2, 6, 1])
        }
    }

    @Test func whatIsFinishedIsInNoJob() throws {
        try withFolder { folder in
            let graph = try Self.graph(experimentText(), folder)
            func finish(_ stage: Stage) throws {
                try stage.run(of: graph.layout.experiment) { run in
                    try run.begin()
                    for name in ["model.h5", "traces.jsonl", "selected.jsonl"] {
                        try TextFile.write("", to: stage.file(name))
                    }
                    try run.close(.finished)
                }
            }
            func names() throws -> [String] { try JobList([graph]).jobs.map(\.name) }
            #expect(
                try names() == ["prepare", "traces", "merge", "training", "samples", "report"]
            )
            for node in graph.nodes where node.kind == .base {
                try finish(#require(try node.stage()))
            }
            #expect(try names() == ["traces", "merge", "training", "samples", "report"])
            for node in graph.nodes where node.kind == .traces {
                try finish(#require(try node.stage()))
            }
            #expect(try names() == ["merge", "training", "samples", "report"])
        }
    }

    @Test func samplesMayBeSharedToo() throws {
        try withFolder { folder in
            let graph = try Self.graph(experimentText(), folder)
            let jobs = try JobList([graph], shards: 1, sampleShards: 5).jobs
            #expect(jobs.map(\.name).suffix(3) == ["samples", "merge-samples", "report"])
            let samples = try #require(jobs.first { $0.name == "samples" })
            #expect(samples.processCount == 5 && Self.arguments(samples) == ["run small.yaml"])
        }
    }

    @Test func wordsAreQuoted() throws {
        try withFolder { folder in
            var experiment = try Experiment(text: experimentText(), file: "it's mine.yaml")
            experiment.seeds = [1]
            let graph = try StageGraph(RunLayout(experiment, environment: ["RSD_RUNS": folder]))
            let scripts = JobScripts(
                try JobList([graph], shards: 1),
                programs: "",
                folder: "a b",
                cores: 1,
                hours: 1
            )
            #expect(scripts.parallel.contains("rsd-train run 'it'\\''s mine.yaml' --arm base\n"))
            let text = scripts.slurm(try #require(scripts.list.jobs.first))
            #expect(text.contains("#SBATCH --'output=a b/prepare.log'\n"))
        }
    }

    @Test func statusShowsStatesShardsAndWhoIsAtWork() throws {
        try withFolder { folder in
            let graph = try Self.graph(experimentText(), folder)
            func row(_ kind: Stage.Kind) throws -> StageStatus {
                try StageStatus(#require(graph.nodes.first { $0.kind == kind }))
            }
            #expect(try row(.base).text == "absent" && row(.training).text == "waits")
            for node in graph.nodes where node.kind == .base {
                let stage = try #require(try node.stage())
                try stage.run(of: graph.layout.experiment) { run in
                    try run.begin()
                    try TextFile.write("", to: stage.model)
                    #expect(try StageStatus(node).text == "running")
                    #expect(try StageStatus(node).holders == [.current])
                    try run.close(.finished)
                }
                #expect(try StageStatus(node).text == "finished")
            }
            let traces = try #require(graph.nodes.first { $0.kind == .traces })
            let stage = try #require(try traces.stage())
            for (index, status) in [(1, Manifest.Status.finished), (2, .interrupted)] {
                let shard = Shard(index: index, count: 3)
                try stage.run(of: graph.layout.experiment, part: Stage.part(shard)) { run in
                    try run.begin()
                    try run.close(status)
                }
            }
            let started = try row(.traces)
            #expect(started.text == "started" && started.shards?.done == 1)
            #expect(started.shards?.count == 3)
            // What another machine holds is believed; what has ended here for certain is not.
            var far = ProcessIdentity.current
            (far.process, far.host, far.boot) = (12, "n7", "another")
            try TextFile.write(far.text, to: stage.file("lock-3-of-3.held"))
            var dead = ProcessIdentity.current
            dead.process = .max
            try TextFile.write(dead.text, to: stage.file("lock"))
            #expect(try row(.traces).holders == [far])
            let table = StageStatus.table([try row(.traces)]).text
            #expect(table.contains("running") && table.contains("1 of 3"))
            #expect(table.contains("n7 12"))
        }
    }
}
