import Basics
import Foundation
import TestSupport
import Testing

/// Training that is killed without warning.
@Suite struct KilledTrainingTests {
    static let experiment = """
        name: killed
        seeds: [3]
        models: {student: {scratch: {hiddenSize: 16, layers: 1, heads: 2, intermediateSize: 32,
          pretraining: {steps: 2, batch: 4}}}}
        benchmarks: [{name: chain2, chain: {count: 4, operations: [2]}}]
        template: {preset: plain, endOfTurn: $}
        answers: {style: marker, start: "#"}
        training: {learningRate: 1e-3, epochs: 40, batch: 2, maxLength: 64, saveEvery: 1,
          keepCheckpoints: 2, microBatchTokens: 256}
        arms:
          base: {kind: base}
          direct: {kind: direct, traces: {path: traces.jsonl}}

        """

    static func prepare(moments: String = "float32") throws -> Scratch {
        let folder = try Scratch()
        try folder.write(
            experiment.replacing("saveEvery: 1", with: "saveEvery: 1, moments: \(moments)"),
            "killed.yaml"
        )
        let traces = (0..<8).map { index in
            "{\"problem\":\"\(index)+1?\",\"answer\":\"\((index + 1) % 10)\","
                + "\"trace\":\"\(index)+1=\((index + 1) % 10), #\((index + 1) % 10)\"}\n"
        }
        try folder.write(traces.joined(), "traces.jsonl")
        let selected = try Program("rsd-generate", in: folder).run(["select", "killed.yaml"])
        #expect(selected.status == 0, "\(selected.error)")
        let base = try Program("rsd-train", in: folder).run(["run", "killed.yaml", "--arm", "base"])
        #expect(base.status == 0, "\(base.error)")
        return folder
    }

    private func models(_ folder: Scratch) throws -> [Data] {
        try folder.files(named: "model.h5", below: "runs/killed/training").map {
            try TextFile.read($0)
        }
    }

    @Test(arguments: ["float32", "bfloat16"])
    func endsInTheSameWeightsHoweverOftenItIsKilled(moments: String) throws {
        let unbroken = try Self.prepare(moments: moments)
        let trainer = Program("rsd-train", in: unbroken)
        #expect(try trainer.run(["run", "killed.yaml"]).status == 0)
        let expected = try models(unbroken)
        #expect(expected.count == 1)

        let folder = try Self.prepare(moments: moments)
        let killed = Program("rsd-train", in: folder)
        var generator = SplitMix(state: 0x5EED)
        var kills = 0
        while try models(folder).isEmpty, kills < 100 {
            if try killed.run(
                ["run", "killed.yaml"],
                killedAfter: Double.random(in: 0.02...0.2, using: &generator)
            ) {
                kills += 1
            }
            // Whatever was left, the newest checkpoint is whole.
            for path in folder.files(named: nil, below: "runs/killed/training")
            where path.hasSuffix(".h5") {
                let check = try Program("rsd-train", in: folder).run(["verify", path])
                #expect(check.status == 0, "after kill \(kills): \(check.error)")
            }
        }
        let last = try killed.run(["run", "killed.yaml"])
        #expect(last.status == 0, "\(last.error)")
        #expect(kills > 3)
        #expect(try models(folder) == expected)
    }

    /// As many checkpoints stay as were asked for; none where nothing was said.
    @Test(arguments: [("keepCheckpoints: 2, ", 2), ("keepCheckpoints: 3, ", 3), ("", 0)])
    func keepsCheckpointsAfterTheEnd(_ key: String, _ count: Int) throws {
        let folder = try Self.prepare()
        let text = String(decoding: try TextFile.read(folder.path("killed.yaml")), as: UTF8.self)
        try folder.write(
            text.replacing("keepCheckpoints: 2, ", with: key)
                .replacing("epochs: 40", with: "epochs: 2"),
            "killed.yaml"
        )
        let trained = try Program("rsd-train", in: folder).run(["run", "killed.yaml"])
        #expect(trained.status == 0, "\(trained.error)")
        let left = folder.files(named: nil, below: "runs/killed/training").filter {
            $0.contains("/checkpoints/")
        }
        // Of eight steps the last one is the model itself.
        let names = left.map { $0.split(separator: "/").last ?? "" }
        #expect(names == (8 - count..<8).map { "step-00000\($0).h5" })
    }

    @Test func weightsDecideWhetherATrainingIsDone() throws {
        let folder = try Self.prepare()
        let trainer = Program("rsd-train", in: folder)
        #expect(try trainer.run(["run", "killed.yaml"]).status == 0)
        let expected = try models(folder)
        let training = "runs/killed/training"
        let model = try #require(folder.files(named: "model.h5", below: training).first)
        let manifest = try #require(folder.files(named: "manifest.json", below: training).first)
        let metrics = try #require(folder.files(named: "metrics.jsonl", below: training).first)

        // Killed between the weights and the end of the manifest: nothing is trained again.
        let text = String(decoding: try TextFile.read(manifest), as: UTF8.self)
        try TextFile.write(text.replacing("\"finished\"", with: "\"running\""), to: manifest)
        try TextFile.write("", to: metrics)
        #expect(try trainer.run(["run", "killed.yaml"]).status == 0)
        #expect(try TextFile.readJSON(manifest)["status"]?.string == "finished")
        #expect(try TextFile.read(metrics).isEmpty)

        // A copy without weights: they are made again.
        try FileManager.default.removeItem(atPath: model)
        #expect(try trainer.run(["run", "killed.yaml"]).status == 0)
        #expect(try models(folder) == expected)
    }

    /// A checkpoint counts for the step that it holds, not for the one that its name says.
    @Test func refusesACheckpointUnderAnotherName() throws {
        let folder = try Self.prepare()
        let trainer = Program("rsd-train", in: folder)
        var saved: [String] = []
        // Longer each time: a busy machine needs a while to begin.
        for attempt in 1...50 where saved.isEmpty {
            _ = try trainer.run(["run", "killed.yaml"], killedAfter: 0.1 * Double(attempt))
            saved = folder.files(named: nil, below: "runs/killed/training").filter {
                $0.contains("/step-") && $0.hasSuffix(".h5")
            }
        }
        let newest = try #require(saved.last)
        let later = newest.replacing(/step-[0-9]+/, with: "step-000159")
        try FileManager.default.moveItem(atPath: newest, toPath: later)
        let result = try trainer.run(["run", "killed.yaml"])
        #expect(result.status == 65)
        #expect(result.error.contains("to another step than its name says"), "\(result.error)")
    }

    /// An experiment whose student is in training for as long as anybody waits.
    private func endless() throws -> Scratch {
        let folder = try Scratch()
        let endless = Self.experiment.replacing(
            "pretraining: {steps: 2,",
            with: "pretraining: {steps: 1000000,"
        )
        let arm = "alone: {kind: student-only}"
        try folder.write(
            "problems: {chain: {count: 4, operations: [2]}}\n"
                + endless.replacing(
                    "direct: {kind: direct, traces: {path: traces.jsonl}}",
                    with: arm
                ),
            "killed.yaml"
        )
        return folder
    }

    /// Numbers that are no sensible sizes are refused, or planned for, but trap nothing.
    @Test(arguments: [
        ("maxNewTokens: 4", "maxNewTokens: 9223372036854775807", 78),
        ("epochs: 1", "epochs: 1, maxLength: 9223372036854775807", 78),
        ("epochs: 1", "epochs: 1, keepCheckpoints: 9223372036854775807", 78),
        ("maxNewTokens: 4", "maxNewTokens: 4, temperature: 1e-40", 78),
        ("maxNewTokens: 4", "maxNewTokens: 16777216, batch: 65536", 0),
        ("hiddenSize: 8", "hiddenSize: 4611686018427387904", 78),
        ("layers: 1", "layers: 1000000", 78),
        ("heads: 1", "heads: 1000000, headDimension: 1000000", 78),
        ("hiddenSize: 8", "hiddenSize: 1000000, intermediateSize: 1000000", 0),
        ("base: {kind: base}", "", 78),
        ("{name: b, chain: {count: 1, operations: [2]}}", "", 78),
    ]) func sizesBeyondReasonTrapNothing(
        _ text: String,
        _ replacement: String,
        _ status: Int32
    ) throws {
        let folder = try Scratch()
        let sound = """
            name: x
            models: {student: {scratch: {hiddenSize: 8, layers: 1, heads: 1,
              pretraining: {steps: 1, batch: 1}}}}
            benchmarks: [{name: b, chain: {count: 1, operations: [2]}}]
            template: {preset: plain, endOfTurn: $}
            training: {epochs: 1}
            evaluation: {maxNewTokens: 4}
            arms: {base: {kind: base}}

            """
        try folder.write("\u{FEFF}" + sound.replacing(text, with: replacement), "x.yaml")
        let result = try Program("rsd-evaluate", in: folder).run(["run", "x.yaml", "--dry-run"])
        #expect(result.status == status, "\(result.error)")
    }

    /// Waits until the student is in training.
    ///
    /// - Returns: Whether it is.
    private func isTraining(_ process: Process, in folder: Scratch) -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while process.isRunning, ContinuousClock.now < deadline {
            let metrics = folder.files(named: "metrics.jsonl", below: "runs/killed/base")
            if metrics.contains(where: { $0.contains("/student") }) { return true }
            usleep(20_000)
        }
        return false
    }

    @Test func aStopWhileGenerationTrainsIsAStopOfTheTraining() throws {
        let folder = try endless()
        let generator = try Program("rsd-generate", in: folder).start(["run", "killed.yaml"])
        #expect(isTraining(generator, in: folder))
        generator.interrupt()
        generator.waitUntilExit()
        #expect(generator.terminationStatus == 75)
        let manifest = folder.files(named: "manifest.json", below: "runs/killed/base")
            .filter { $0.contains("/student") }
        #expect(manifest.count == 1)
        #expect(try TextFile.readJSON(manifest[0])["status"]?.string == "interrupted")
    }

    /// However the program ends that trains what it needs, nothing of it stays at work, and a stop that
    /// it hears leaves a whole step.
    @Test(arguments: [SIGKILL, SIGHUP, SIGTERM, 0])
    func nothingStaysAtWork(signal: Int32) throws {
        let folder = try endless()
        let generator = try Program("rsd-generate", in: folder).start(["run", "killed.yaml"])
        #expect(isTraining(generator, in: folder))
        if signal != 0 {
            kill(generator.processIdentifier, signal)
        } else {
            // Ctrl-C twice: the second does not wait for the step.
            generator.interrupt()
            usleep(1000)
            generator.interrupt()
        }
        generator.waitUntilExit()
        let lock = try #require(
            folder.files(named: "lock", below: "runs/killed/base").first { $0.contains("/student") }
        )
        #expect(!Self.isLocked(lock))
        guard [SIGHUP, SIGTERM].contains(signal) else { return }
        #expect(generator.terminationStatus == 75)
        let manifest = try #require(
            folder.files(named: "manifest.json", below: "runs/killed/base")
                .first { $0.contains("/student") }
        )
        #expect(try TextFile.readJSON(manifest)["status"]?.string == "interrupted")
    }

    /// The same number means another process in another container.
    @Test func aContainerOfItsOwnNumbersIsNotMistaken() throws {
        let folder = try endless()
        let container = ["unshare", "-p", "-f", "--mount-proc", "--kill-child"]
        guard try Self.run(container + ["true"]) == 0 else {
            print("SKIPPED: no namespaces of processes can be made here")
            return
        }
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments =
            container + [
                Program("rsd-train").path, "run", "killed.yaml", "--arm", "base",
            ]
        process.currentDirectoryURL = URL(filePath: folder.folder)
        process.standardError = FileHandle.nullDevice
        try process.run()
        #expect(isTraining(process, in: folder))
        let second = try Program("rsd-train", in: folder).run([
            "run", "killed.yaml", "--arm", "base",
        ])
        #expect(
            second.status == 75 && second.error.contains("another container"),
            "\(second.error)"
        )
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        // What it left is dead for certain, though it had a number that lives here.
        let stage = try #require(folder.files(named: "lock", below: "runs/killed/base").first)
        #expect(try TextFile.read(stage).starts(with: Data("1\n".utf8)))
        let third = try Program("rsd-train", in: folder).start([
            "run", "killed.yaml", "--arm", "base",
        ])
        // While it changes hands the file is empty for a moment.
        func hasOwner() throws -> Bool {
            try TextFile.read(stage).starts(with: Data("\(third.processIdentifier)\n".utf8))
        }
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline, try !hasOwner() { usleep(10_000) }
        #expect(try hasOwner())
        third.interrupt()
        third.waitUntilExit()
        #expect(third.terminationStatus == 75)
    }

    /// Whether a process that lives holds the lock.
    private static func isLocked(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        return flock(descriptor, LOCK_EX | LOCK_NB) != 0
    }

    private static func run(_ arguments: [String]) throws -> Int32 {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test func asksASecondProcessToWait() throws {
        let folder = try endless()
        let trainer = Program("rsd-train", in: folder)
        let first = try trainer.start(["run", "killed.yaml", "--arm", "base"])
        #expect(isTraining(first, in: folder))
        let second = try trainer.run(["run", "killed.yaml", "--arm", "base"])
        #expect(second.status == 75)
        #expect(second.error.contains("\(first.processIdentifier)"), "\(second.error)")
        first.interrupt()
        first.waitUntilExit()
        #expect(first.terminationStatus == 75)
    }
}
