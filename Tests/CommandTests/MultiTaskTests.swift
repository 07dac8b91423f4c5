import Basics
import Foundation
import Testing

/// Two tasks in one student, from the file to the manifest.
@Suite struct MultiTaskTests {
    @Test func answersAtOnceAreTrainedBesideTheTraces() throws {
        let folder = try Scratch()
        let more = """
            answers: {style: marker, start: "#"}
            arms:
              base: {kind: base}
              both: {kind: direct, traces: {path: traces.jsonl},
                training: {multiTask: {alpha: 0.25, prompt: "#{problem}"}}}

            """
        let head = try #require(ObjectiveTests.experiment.components(separatedBy: "arms:").first)
        try folder.write(head + more, "m.yaml")
        try folder.write(
            """
            {"problem":"1+2?","answer":"3","trace":"1+2=3, #3"}
            {"problem":"2+2?","answer":"4","trace":"2+2=4, #4"}

            """,
            "traces.jsonl"
        )
        for (program, arguments) in [
            ("rsd-generate", ["run", "m.yaml"]), ("rsd-train", ["run", "m.yaml"]),
        ] {
            let result = try Program(program, in: folder).run(arguments)
            #expect(result.status == 0, "\(result.error)")
        }
        let path = try #require(
            folder.files(named: "manifest.json", below: "runs/objectives/training").first
        )
        let results = try TextFile.readJSON(path)["results"]
        // Of each problem nine tokens of a trace, "#3" and the end of the turn.
        #expect(results?["traces"]?.integer == 4 && results?["target_tokens"]?.integer == 24)
        #expect(results?["steps"]?.integer == 8)
    }
}
