import Basics
import Records
import Testing

@testable import Experiments
@testable import Tracing

/// Arms that take the traces of another experiment.
@Suite struct BorrowedTraceTests {
    /// What an arm gets that takes the traces of arm `teacher` of giver.yaml.
    static func taken(
        _ laboratory: Laboratory,
        _ ending: String,
        student: String,
        more: String = ""
    ) throws -> [SelectedTrace] {
        let scope = try laboratory.scope(
            laboratory.text(
                problems: "hand",
                arms: """
                      taken:
                        kind: direct
                        traces:
                          {experiment: \(laboratory.folder)/giver.yaml, arm: teacher\(ending)}
                    \(more)
                    """
            ).replacing("student.h5", with: student)
        )
        return try ArmTests.selection(scope, "taken").selected
    }

    @Test func tracesOfAnotherExperimentGoThroughTextWhereVocabulariesDiffer() throws {
        let laboratory = try Laboratory()
        let giver = try ArmTests.scope(laboratory, arms: "  rsd: {kind: rsd}")
        let text = laboratory.text(problems: "hand", arms: "  rsd: {kind: rsd}")
        try TextFile.write(text, to: "\(laboratory.folder)/giver.yaml")
        let borrowed = "{experiment: \(laboratory.folder)/giver.yaml, arm: rsd}"
        let scope = try laboratory.scope(
            laboratory.text(
                problems: "hand",
                arms: """
                      transfer: {kind: direct, traces: \(borrowed)}
                      ended:
                        kind: direct
                        traces:
                          experiment: \(laboratory.folder)/giver.yaml
                          arm: rsd
                          ending: " so {answer}"
                    """
            )
        )
        do {
            _ = try ArmTests.selection(scope, "transfer")
            Issue.record("nothing has been selected there yet")
        } catch let failure as Failure {
            #expect(failure.kind == .missingInput)
            #expect(failure.remedy?.contains("rsd-generate run") == true)
        }
        let source = try #require(try scope.layout.sourceArms(scope.arms).first)
        #expect(!source.isDone)
        // What the other experiment has to do is part of what this experiment takes.
        let steps = try StageGraph(scope.layout).plan().steps
        #expect(steps.map(\.label).prefix(2) == ["rsd", "rsd"])
        #expect(steps.map(\.kind).prefix(2) == [.traces, .selection])
        try giver.write(ArmTests.selection(giver, "rsd"))
        #expect(try StageGraph(scope.layout).plan().steps.count == steps.count - 2)
        let few = try StageGraph(scope.layout, arms: [scope.experiment.arm("transfer")]).plan()
        #expect(Set(few.steps.map(\.label)) == ["transfer"])
        let same = try ArmTests.selection(scope, "transfer").selected
        #expect(same.map(\.ids) == [[0, 1, 2]] && same[0].text == "#3")
        let ended = try ArmTests.selection(scope, "ended").selected
        #expect(ended[0].ids == nil && ended[0].text == "#3 so 3")

        // The student `other` shares no word with the one that these traces were made for.
        let foreign = text.replacing("student.h5", with: "other.h5")
            .replacing(
                "  rsd: {kind: rsd}",
                with: "  transfer: {kind: direct, traces: \(borrowed)}"
            )
        let selected = try ArmTests.selection(laboratory.scope(foreign), "transfer").selected
        #expect(selected.map(\.ids) == [nil] && selected[0].text == "#3")
    }

    @Test func partOfTheTracesOfAnotherExperimentIsNotAllOfThem() throws {
        let laboratory = try Laboratory()
        let giver = try ArmTests.scope(laboratory, arms: "  rsd: {kind: rsd}")
        let text = laboratory.text(problems: "hand", arms: "  rsd: {kind: rsd}")
        try TextFile.write(text, to: "\(laboratory.folder)/giver.yaml")
        let scope = try laboratory.scope(
            laboratory.text(
                problems: "hand",
                arms: """
                      transfer:
                        kind: direct
                        traces: {experiment: \(laboratory.folder)/giver.yaml, arm: rsd}
                    """
            )
        )
        let stage = try Laboratory.stage(giver, "rsd")
        let all = try Trace.read(stage.traces())
        try JSONLines.write(all.filter { $0.id != "r" }.map(\.json), to: stage.traces())
        try giver.write(ArmTests.selection(giver, "rsd"))
        let source = try #require(try scope.layout.sourceArms(scope.arms).first)
        #expect(!source.isDone)
        #expect(try !ArmTests.selection(scope, "transfer").isComplete)
        try JSONLines.write(all.map(\.json), to: stage.traces())
        try giver.write(ArmTests.selection(giver, "rsd"))
        #expect(source.isDone)
        #expect(try ArmTests.selection(scope, "transfer").isComplete)
    }

    @Test func maskedTracesAreNotTakenAsText() throws {
        let laboratory = try Laboratory()
        let arm = "  teacher: {kind: teacher-filtered, selection: {maskBelow: 0.01}}"
        let giver = try ArmTests.scope(laboratory, arms: arm)
        let text = laboratory.text(problems: "hand", arms: arm)
        try TextFile.write(text, to: "\(laboratory.folder)/giver.yaml")
        try giver.write(ArmTests.selection(giver, "teacher"))
        func taken(_ ending: String, student: String = "student.h5", more: String = "") throws
            -> [SelectedTrace]
        {
            try Self.taken(laboratory, ending, student: student, more: more)
        }
        let lent = try ArmTests.selection(giver, "teacher").selected.map(\.weights)
        #expect(lent.contains { $0?.contains(0) == true })
        #expect(try taken("").map(\.weights) == lent)
        // A mask of the borrower's own, which nothing falls under, takes nothing back.
        let masked = try taken("", more: "    selection: {maskBelow: 1e-30}")
        #expect(masked.map(\.weights) == lent)
        for (ending, student) in [(", ending: x", "student.h5"), ("", "other.h5")] {
            let failure = #expect(throws: Failure.self) { try taken(ending, student: student) }
            #expect(failure?.kind == .configuration && failure?.place == "arms.taken.traces")
        }
    }

    @Test func whatIsCutByAMatchIsCutAsText() throws {
        let laboratory = try Laboratory()
        let arms = """
              rsd: {kind: rsd}
              teacher: {kind: teacher-filtered, match: {arms: [rsd]}}
            """
        let giver = try ArmTests.scope(laboratory, arms: arms)
        try TextFile.write(
            laboratory.text(problems: "hand", arms: arms),
            to: "\(laboratory.folder)/giver.yaml"
        )
        let lent = try ArmTests.selection(giver, "teacher")
        try giver.write(lent)
        // Four target tokens of the first trace drawn.
        #expect(lent.selected.map { $0.weights?.filter { $0 > 0 }.count } == [4])
        #expect(lent.selected[0].weights?.contains(0) == true)
        let cut = try Self.taken(laboratory, "", student: "other.h5")
        #expect(cut.map(\.text) == [(0..<4).map { Laboratory.words[$0] }.joined()])
        #expect(cut.map(\.isComplete) == [false] && cut.map(\.ids) == [nil])
        #expect(throws: Failure.self) {
            try Self.taken(laboratory, ", ending: x", student: "other.h5")
        }
    }

    @Test func borrowedTracesAreMadeWhereTheyBelong() throws {
        let laboratory = try Laboratory()
        let giver = laboratory.text(
            arms: """
                  rsd: {kind: rsd}
                  other: {kind: student-only}
                """
        ).replacing("seeds: [1]", with: "seeds: [3, 4]")
        try TextFile.write(giver, to: "\(laboratory.folder)/giver.yaml")
        let scope = try laboratory.scope(
            laboratory.text(
                arms: """
                      transfer:
                        kind: direct
                        traces: {experiment: \(laboratory.folder)/giver.yaml, arm: rsd}
                    """
            )
        )
        // Seed 1 is none of the other experiment's, so its first one is taken; the other arm is not needed.
        let sources = try scope.layout.sourceArms(scope.arms)
        #expect(sources.map(\.seed) == [3])
        #expect(sources[0].layout.experiment.arms.map(\.name) == ["rsd"])
        try scope.generate(ModelStore(), isBorrowing: true)
        #expect(sources[0].isDone)
        let made = try #require(try sources[0].selection)
        let selection = try ArmTests.selection(scope, "transfer")
        #expect(selection.selected.count == (try SelectedTrace.read(made.selected)).count)
    }
}
