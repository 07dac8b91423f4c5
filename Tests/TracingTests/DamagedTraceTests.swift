import Basics
import Experiments
import Foundation
import Records
import Testing

@testable import Tracing

/// Traces that are damaged or vanish, while they are made and afterwards.
@Suite struct DamagedTraceTests {
    /// What is appended to a file that has lost its name is lost; the same command makes it again.
    @Test(arguments: ["file", "folder", "replaced", "emptied"])
    func aFileThatVanishesIsNoSuccess(what: String) throws {
        let laboratory = try Laboratory()
        let reference = try laboratory.scope(laboratory.text(), runs: "reference", arm: "rsd")
        try Laboratory.generate(reference)
        let scope = try laboratory.scope(laboratory.text(batch: 1), arm: "rsd")
        let stage = try Laboratory.stage(scope, "rsd")
        var isDone = false
        let found = try failure {
            _ = try scope.generate(ModelStore()) { generation in
                generation.display = ProgressDisplay(isLive: false, now: { 0 }, write: { _ in })
                generation.isInterrupted = {
                    let lines = (try? TextFile.read(stage.traces()))?.count { $0 == 0x0A } ?? 0
                    guard !isDone, lines > 2 else { return false }
                    isDone = true
                    switch what {
                    case "folder": try? FileManager.default.removeItem(atPath: stage.folder)
                    case "emptied": truncate(stage.traces(), 0)
                    default: unlink(stage.traces())
                    }
                    if what == "replaced" { try? TextFile.write("", to: stage.traces()) }
                    return false
                }
            }
        }
        #expect(isDone && found?.kind.exitCode == 74, "\(String(describing: found))")
        #expect(stage.state != .finished)
        try Laboratory.generate(scope)
        #expect(try Laboratory.bytes(scope) == Laboratory.bytes(reference))
    }

    /// A bit that flips in finished traces is found; lines in another order are no damage.
    @Test func finishedTracesAreWhatTheyWere() throws {
        let laboratory = try Laboratory()
        let scope = try laboratory.scope(laboratory.text(), arm: "rsd")
        try Laboratory.generate(scope)
        let stage = try Laboratory.stage(scope, "rsd")
        let whole = try Laboratory.bytes(scope)
        func write(_ data: Data) throws { try data.write(to: URL(filePath: stage.traces())) }
        for place in stride(from: 5, to: whole[0].count, by: whole[0].count / 40) {
            var flipped = whole[0]
            flipped[place] ^= UInt8(1 << (place % 7))
            try write(flipped)
            let found = try failure { try Laboratory.generate(scope) }
            if found != nil {
                #expect(found?.kind.exitCode == 65, "byte \(place)")
            } else {
                #expect(try Laboratory.bytes(scope) == whole, "byte \(place)")
            }
        }
        let lines = whole[0].split(separator: 0x0A)
        try write(Data(lines.reversed().joined(separator: [0x0A])) + [0x0A])
        try Laboratory.generate(scope)
        #expect(try Laboratory.bytes(scope) == whole)
    }

    private func failure(_ body: () throws -> Void) throws -> Failure? {
        do { try body() } catch let failure as Failure { return failure }
        return nil
    }

    /// A shard that a whole run has overtaken takes its file away when it ends; where it was
    /// stopped, the next run does.
    @Test(arguments: [false, true]) func aShardThatIsOvertakenLeavesNothing(isStopped: Bool) throws
    {
        let laboratory = try Laboratory()
        let reference = try laboratory.scope(laboratory.text(), runs: "reference", arm: "rsd")
        try Laboratory.generate(reference)
        let scope = try laboratory.scope(laboratory.text(), runs: "overtaken", arm: "rsd")
        let store = TraceStore(stage: try Laboratory.stage(scope, "rsd"))
        let own = store.stage.traces(shard: (1, 2))
        let steps = Counter(0)
        do {
            _ = try scope.generate(ModelStore(), shard: Shard(index: 1, count: 2)) { generation in
                generation.display = ProgressDisplay(isLive: false, now: { 0 }, write: { _ in })
                generation.isInterrupted = {
                    steps.value += 1
                    if steps.value == 10 {
                        _ = try? Laboratory.generate(scope)
                        #expect(store.stage.state == .finished)
                        #expect(store.files == [store.stage.traces(), own])
                    }
                    return isStopped && steps.value > 10
                }
            }
            #expect(!isStopped)
        } catch let failure as Failure where failure.kind == .interrupted {
            #expect(isStopped && store.files == [store.stage.traces(), own])
            try Laboratory.generate(scope)
        }
        #expect(store.files == [store.stage.traces()])
        #expect(try Laboratory.bytes(scope) == Laboratory.bytes(reference))
    }

    /// A process that looked before others came to the end does not undo what they chose.
    @Test func anOldLookDoesNotReplaceAFinishedSelection() throws {
        let laboratory = try Laboratory()
        let scope = try laboratory.scope(laboratory.text(), arm: "direct")
        var selection = try #require(try Laboratory.generate(scope).first)
        let whole = try Laboratory.bytes(scope, "direct")
        let stage = try #require(try scope.layout.selection(selection.arm, seed: 1))
        #expect(stage.state == .finished && selection.isComplete)
        let other = SelectedTrace(selection.tries[0], of: selection.problems[0])
        selection.kept.append(.init(selected: other))
        selection.isComplete = false
        try scope.write(selection)
        #expect(try Laboratory.bytes(scope, "direct") == whole)
        #expect(stage.state == .finished)
        // Without a finished selection it is the latest look.
        try FileManager.default.removeItem(atPath: stage.manifest)
        try scope.write(selection)
        #expect(try Laboratory.bytes(scope, "direct")[1] != whole[1])
        #expect(stage.state == .started)
    }
}
