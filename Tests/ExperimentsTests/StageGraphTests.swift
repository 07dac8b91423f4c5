import Basics
import Foundation
import Testing

@testable import Experiments

@Suite struct StageGraphTests {
    static func graph(
        arms: String = RunLayoutTests.arms,
        runs: String = "runs",
        goals: Set<Stage.Kind> = Set(Stage.Kind.allCases)
    ) throws -> StageGraph {
        let layout = RunLayout(
            try experiment(arms: arms),
            environment: ["RSD_RUNS": runs, "RSD_RESULTS": "\(runs)/results"]
        )
        return try StageGraph(layout, goals: goals)
    }

    static func names(_ graph: StageGraph) -> [String] {
        graph.nodes.map { "\($0.kind) \($0.label) \($0.seed)" }
    }

    @Test func everyNodeStandsBehindWhatItNeeds() throws {
        let graph = try Self.graph()
        for (place, node) in graph.nodes.enumerated() {
            #expect(node.needs.allSatisfy { $0 < place })
        }
        // The teacher is one for both seeds; direct and teacher-filtered share their tries.
        #expect(graph.nodes.count { $0.kind == .base } == 3)
        #expect(graph.nodes.count { $0.kind == .traces } == 6)
        #expect(graph.nodes.count { $0.kind == .selection } == 8)
        #expect(graph.nodes.count { $0.kind == .training } == 8)
        #expect(graph.nodes.count { $0.kind == .evaluation } == 10)
        #expect(Set(Self.names(graph)).count == graph.nodes.count)
    }

    @Test func goalsBringAlongWhatTheyNeedAndNothingElse() throws {
        let arms = "arms: {base: {kind: base}, own: {kind: student-only}}"
        #expect(
            Self.names(try Self.graph(arms: arms, goals: [.selection])) == [
                "base student 1", "traces student 1", "selection own 1", "base student 2",
                "traces student 2", "selection own 2",
            ]
        )
        let evaluated = try Self.graph(arms: arms, goals: [.evaluation])
        #expect(Self.names(evaluated).prefix(2) == ["base student 1", "evaluation base 1"])
        #expect(!Self.names(evaluated).contains { $0.hasPrefix("base teacher") })
    }

    @Test func anArmThatStartsFromAStudentNeedsItsTraining() throws {
        let graph = try Self.graph(
            arms: "arms: {base: {kind: base}, rsd: {kind: rsd}, again: {kind: rsd, student: rsd}}",
            goals: [.traces]
        )
        let names = Self.names(graph)
        let place = try #require(names.firstIndex(of: "training rsd 1"))
        let again = try #require(graph.nodes.firstIndex { $0.arm?.name == "again" })
        #expect(graph.nodes[again].needs.contains(place))
    }

    @Test func aPupilNeedsTheTrainingOfWhatTeachesIt() throws {
        let graph = try Self.graph(
            arms: """
                arms:
                  tutor: {kind: teacher-filtered, model: teacher, evaluate: false}
                  pupil: {kind: rsd, teacher: tutor}
                  soft: {kind: student-only, teacher: tutor, training: {objective: forward-kl}}
                """
        )
        let names = Self.names(graph)
        let tutor = try #require(names.firstIndex(of: "training tutor 1"))
        func needs(_ kind: Stage.Kind, _ arm: String) throws -> [String] {
            let node = try #require(
                graph.nodes.first { $0.kind == kind && $0.arm?.name == arm && $0.seed == 1 }
            )
            return node.needs.map { names[$0] }
        }
        #expect(names[..<tutor].contains("selection tutor 1"))
        #expect(try needs(.traces, "tutor") == ["base teacher 0"])
        #expect(try needs(.traces, "pupil") == ["base student 1", "training tutor 1"])
        #expect(try needs(.traces, "soft") == ["base student 1"])
        #expect(try needs(.training, "soft").contains("training tutor 1"))
        #expect(!names.contains("evaluation tutor 1") && names.contains("evaluation pupil 1"))
        // Alone it is scored.
        let alone = try StageGraph(
            graph.layout,
            arms: [graph.layout.experiment.arm("tutor")],
            goals: [.evaluation]
        )
        #expect(Self.names(alone).contains("evaluation tutor 1"))
        #expect(graph.layout.experiment.scored.arms.map(\.name) == ["pupil", "soft"])
        #expect(graph.layout.experiment.scored.contributors.count == 3)
    }

    @Test func aStageThatCannotGoOnHoldsBackThoseBehindIt() throws {
        try withFolder { folder in
            let graph = try Self.graph(runs: folder, goals: [.traces, .selection])
            var made: [String] = []
            func runner(_ refused: String) -> StageRunner {
                made = []
                return StageRunner([
                    .traces: { node, _ in
                        made.append("traces \(node.label) \(node.seed)")
                        return node.label != refused
                    },
                    .selection: { node, _ in
                        made.append("selection \(node.label) \(node.seed)")
                        return true
                    },
                ])
            }
            try runner("").run(graph)
            #expect(made == Self.names(graph).filter { !$0.hasPrefix("base") })
            try runner("teacher").run(graph)
            #expect(!made.contains { $0.hasPrefix("selection direct") })
            #expect(!made.contains { $0.hasPrefix("selection teacher-filtered") })
            #expect(made.contains("selection rsd 1") && made.contains("selection student-only 2"))
            // What was met before is not done again, and still holds back what is behind it.
            let again = runner("teacher")
            try again.run(graph)
            let count = made.count
            try again.run(graph)
            #expect(made.count == count)
        }
    }

    /// As when another shard makes the last try while this one is at the tries of another arm.
    @Test func whatAnotherProcessFinishesMeanwhileHoldsNothingBack() throws {
        try withFolder { folder in
            let graph = try Self.graph(runs: folder, goals: [.traces, .selection])
            var refused: Stage?
            var selected: [String] = []
            let runner = StageRunner([
                .traces: { node, stage in
                    if node.label == "teacher", node.seed == 1 { refused = stage }
                    return stage.folder != refused?.folder
                },
                .selection: { node, _ in
                    if selected.isEmpty, let refused {
                        try refused.run(of: graph.layout.experiment) { run in
                            try run.begin()
                            try run.close(.finished)
                        }
                    }
                    selected.append("\(node.label) \(node.seed)")
                    return true
                },
            ])
            try runner.run(graph)
            // Those before the first selection found it unfinished.
            #expect(selected.contains("teacher-filtered 1") && selected.contains("rsd 1"))
            try runner.run(graph)
            #expect(selected.contains("direct 1"))
        }
    }

    @Test func oneProcessWorksOnAStageAndItsManifestTellsHowThatEnded() throws {
        try withFolder { folder in
            let graph = try Self.graph(runs: folder, goals: [.traces])
            let node = try #require(graph.nodes.first { $0.kind == .traces })
            let stage = try #require(try node.stage())
            let experiment = graph.layout.experiment
            func manifest() throws -> JSON { try TextFile.readJSON(stage.manifest) }
            struct Broken: Error {}

            try stage.run(of: experiment) { run in
                #expect(!run.hasBegun && !FileManager.default.fileExists(atPath: stage.manifest))
                try run.begin()
                #expect(try manifest()["status"]?.string == "running")
                #expect(
                    failureText { try stage.run(of: experiment) { _ in } }.hasPrefix("75: ")
                )
                // A part has a lock and a manifest of its own.
                try stage.run(of: experiment, part: "-1-of-2") { try $0.begin() }
                try run.close(.finished, results: ["tries": 3])
            }
            #expect(stage.state == .finished)
            #expect(try manifest()["results"]?["tries"]?.integer == 3)
            #expect(FileManager.default.fileExists(atPath: stage.file("manifest-1-of-2.json")))

            for (error, status): (any Error, String) in [
                (Broken(), "failed"), (Interrupts.stopped(resume: "again"), "interrupted"),
            ] {
                #expect(throws: (any Error).self) {
                    try stage.run(of: experiment) { run in
                        run.resultsSoFar = { ["tries": 1] }
                        try run.begin()
                        throw error
                    }
                }
                #expect(try manifest()["status"]?.string == status)
                #expect(try manifest()["results"]?["tries"]?.integer == 1)
            }
            // The lock is free again.
            try stage.run(of: experiment) { _ in }
        }
    }
}
