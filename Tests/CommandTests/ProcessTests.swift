import Basics
import Foundation
import Testing

/// How the programs get on with the system that runs them.
@Suite struct ProcessTests {
    /// Runs a shell command, `$0` being a program, in a folder.
    private func shell(_ command: String, _ program: String, in folder: Scratch) throws
        -> (process: Process, error: String)
    {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", command, Program(program).path]
        process.currentDirectoryURL = URL(filePath: folder.folder)
        try folder.write("", "messages")
        process.standardInput = FileHandle.nullDevice
        process.standardError = FileHandle(forWritingAtPath: folder.path("messages"))
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        return (
            process, String(decoding: try TextFile.read(folder.path("messages")), as: UTF8.self)
        )
    }

    /// A program whose messages nobody can read ends as it would have.
    @Test func fullStandardErrorChangesNothing() throws {
        let (process, _) = try shell(
            "exec \"$0\" verify nowhere.h5 2> /dev/full",
            "rsd-train",
            in: Scratch()
        )
        #expect(process.terminationReason == .exit && process.terminationStatus == 66)
    }

    /// Where nothing could be resumed, nothing is gained by going on after a signal.
    @Test(arguments: [SIGHUP, SIGINT, SIGTERM]) func endsAtOnceWhereNothingIsResumed(number: Int32)
        throws
    {
        // Waits for somebody to write, for ever.
        let input = Pipe()
        defer { withExtendedLifetime(input) {} }
        let process = try Program("rsd-evaluate").start(["grade", "-"], input: input)
        usleep(300_000)
        #expect(process.isRunning)
        kill(process.processIdentifier, number)
        let deadline = ContinuousClock.now + .seconds(20)
        while process.isRunning, ContinuousClock.now < deadline { usleep(2_000) }
        #expect(!process.isRunning)
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal)
        #expect(process.terminationStatus == number)
    }

    /// A stop is answered at once, whatever the step still takes.
    @Test func aStopIsAnsweredAtOnce() throws {
        let folder = try Scratch()
        try folder.write(
            KilledTrainingTests.experiment.replacing("steps: 2", with: "steps: 1000000"),
            "killed.yaml"
        )
        let (process, error) = try shell(
            "(sleep 2; kill -INT $$) & exec \"$0\" run killed.yaml --arm base",
            "rsd-train",
            in: folder
        )
        #expect(process.terminationStatus == 75, "\(error)")
        let lines = error.split(separator: "\n")
        #expect(lines.contains("stopping after this step, with a checkpoint of it"), "\(error)")
        #expect(lines.last?.hasPrefix("Go on with: ") == true, "\(error)")
    }

    /// A checkpoint that cannot be written says what is left and how training goes on.
    @Test func aFailedSaveSaysHowToGoOn() throws {
        let folder = try KilledTrainingTests.prepare()
        let (process, error) = try shell(
            "ulimit -f 16; exec \"$0\" run killed.yaml",
            "rsd-train",
            in: folder
        )
        #expect(process.terminationStatus == 74, "\(error)")
        #expect(error.contains("it goes on from the start, as nothing was saved"), "\(error)")
    }

    #if os(Linux)
        /// A checkpoint that does not fit is written once more in the place of an older one.
        @Test(arguments: [(ENOSPC, "write"), (EIO, "fsync"), (ENOSPC, "rename")])
        func aSaveIsTriedAgain(code: Int32, call: String) throws {
            func models(_ folder: Scratch) throws -> [Data] {
                try folder.files(named: "model.h5", below: "runs/killed/training").map {
                    try TextFile.read($0)
                }
            }
            let unbroken = try KilledTrainingTests.prepare()
            let undisturbed = try Program("rsd-train", in: unbroken).run(["run", "killed.yaml"])
            #expect(undisturbed.status == 0, "\(undisturbed.error)")

            let folder = try KilledTrainingTests.prepare()
            let tools = URL(filePath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Tools")
            let source = tools.appending(path: "fault_injection.c").path(percentEncoded: false)
            /// A run in which the first such call of one save fails, and only that one.
            func run(_ folder: Scratch, _ step: String) throws -> (status: Int32, error: String) {
                let (process, error) = try shell(
                    "cc -shared -fPIC -O1 -o faults.so '\(source)' -ldl && FAULT_AT=1 "
                        + "FAULT_ERROR=\(code) FAULT_CALL=\(call) FAULT_BELOW=/checkpoints/\(step) "
                        + "LD_PRELOAD=$PWD/faults.so exec \"$0\" run killed.yaml",
                    "rsd-train",
                    in: folder
                )
                return (process.terminationStatus, error)
            }
            let tenth = try run(folder, "step-000010.h5")
            #expect(tenth.status == 0, "\(tenth.error)")
            #expect(try models(folder) == models(unbroken))
            // The first is all there is: nothing can be given up for it, and the failure stands.
            let first = try run(KilledTrainingTests.prepare(), "step-000001.h5")
            #expect(first.status == 74 && first.error.contains("as nothing was saved before"))
        }
    #endif

    /// Found by name, and with no other program in its folder, a program trains what it needs.
    @Test func trainsWhatItNeedsWhenFoundByName() throws {
        let folder = try Scratch()
        try folder.write(
            "problems: {chain: {count: 1, operations: [2]}}\ngeneration: {tries: 1, maxNewTokens: 4}\n"
                + KilledTrainingTests.experiment.replacing(
                    "direct: {kind: direct, traces: {path: traces.jsonl}}",
                    with: "alone: {kind: student-only}"
                ),
            "killed.yaml"
        )
        let (process, error) = try shell(
            "PATH=$(dirname \"$0\"):$PATH; exec rsd-generate run killed.yaml",
            "rsd-generate",
            in: folder
        )
        // Four tokens of a random model are nothing to train on; that they are there tells enough.
        #expect(process.terminationStatus == 1 && error.contains("nothing to train on"), "\(error)")
        #expect(!folder.files(named: "traces.jsonl", below: "runs/killed/traces").isEmpty)
    }

    /// What training an earlier stage fails with is what the program fails with.
    @Test func endsWithTheCodeOfAnEarlierStage() throws {
        let folder = try Scratch()
        try folder.write(
            "problems: {chain: {count: 1, operations: [2]}}\n"
                + KilledTrainingTests.experiment
                .replacing("hiddenSize: 16", with: "hiddenSize: 65536")
                .replacing("layers: 1", with: "layers: 512")
                .replacing(
                    "direct: {kind: direct, traces: {path: traces.jsonl}}",
                    with: "alone: {kind: student-only}"
                ),
            "killed.yaml"
        )
        let result = try Program("rsd-generate", in: folder).run(["run", "killed.yaml"])
        #expect(result.status == 78, "\(result.error)")
        #expect(result.error.contains("Error: training: memory: about"), "\(result.error)")
    }

    /// A limit on the address space is known before the weights are there.
    @Test func keepsWithinTheAddressSpace() throws {
        let (process, error) = try shell(
            "ulimit -v 3000000; exec \"$0\" bench --shape qwen3-0.6b --sequence 512 --steps 1",
            "rsd-train",
            in: Scratch()
        )
        #expect(process.terminationReason == .exit && process.terminationStatus == 78)
        #expect(error.contains("available are 3.07 GB"), "\(error)")
    }

    /// Sequences longer than a model has been made for are worth a word before they are made.
    @Test func warnsBeyondTheContextOfAModel() throws {
        let folder = try KilledTrainingTests.prepare()
        let trained = try #require(folder.files(named: "model.h5", below: "runs/killed/base").first)
        let trainer = Program("rsd-train", in: folder)
        #expect(try trainer.run(["export", trained, "--to", "short"]).status == 0)
        let configuration = folder.path("short/config.json")
        let text = String(decoding: try TextFile.read(configuration), as: UTF8.self)
        try TextFile.write(
            text.replacing(
                /"max_position_embeddings": *[0-9]+/,
                with: "\"max_position_embeddings\": 12"
            ),
            to: configuration
        )
        try folder.write(
            """
            name: short
            models: {student: {path: short}, teacher: {path: short}}
            problems: {chain: {count: 1, operations: [2]}}
            benchmarks: [{name: chain2, chain: {count: 1, operations: [2]}}]
            template: {preset: plain, endOfTurn: $}
            answers: {style: marker, start: "#"}
            generation: {tries: 1, maxNewTokens: 40}
            training: {epochs: 1, batch: 2, maxLength: 64, microBatchTokens: 256}
            evaluation: {maxNewTokens: 30}
            arms:
              rsd: {kind: rsd}
              direct: {kind: direct, traces: {path: traces.jsonl}}

            """,
            "short.yaml"
        )
        func warnings(_ program: String, _ arguments: [String], status: Int32 = 0) throws
            -> [String]
        {
            let result = try Program(program, in: folder).run(arguments)
            #expect(result.status == status, "\(result.error)")
            return result.error.split(separator: "\n").map(String.init).filter {
                $0.hasPrefix("warning: ") && $0.contains("made for contexts of 12 tokens")
            }
        }
        // None of its tries can be trained on, as the student is random.
        let generation = try warnings(
            "rsd-generate",
            ["run", "short.yaml", "--arm", "rsd"],
            status: 1
        )
        #expect(generation.count == 1 && generation[0].contains("generation.maxNewTokens"))
        _ = try warnings("rsd-generate", ["select", "short.yaml", "--arm", "direct"])
        let training = try warnings("rsd-train", ["run", "short.yaml", "--arm", "direct"])
        #expect(training.count == 1 && training[0].contains("training.maxLength"))
        let arm = ["run", "short.yaml", "--arm", "direct"]
        #expect(try warnings("rsd-evaluate", arm).count == 1)
        let sample = ["sample", "--model", "short", "--prompt", "1+1?", "--max-tokens"]
        #expect(try warnings("rsd-evaluate", sample + ["3"]).isEmpty)
        #expect(try warnings("rsd-evaluate", sample + ["30"]).count == 1)
    }

    /// Where a template asks a model to think that has no token for it, that is said of each model once.
    @Test func warnsOfThoughtsThatAreNoTokens() throws {
        let folder = try KilledTrainingTests.prepare()
        let text = String(decoding: try TextFile.read(folder.path("killed.yaml")), as: UTF8.self)
        func warnings(_ program: String, template: String) throws -> [String] {
            try folder.write(
                text.replacing("template: {preset: plain,", with: "template: {\(template),")
                    .replacing("saveEvery: 1", with: "saveEvery: 100")
                    .replacing("epochs: 40", with: "epochs: 1")
                    + "evaluation: {maxNewTokens: 4}\n",
                "think.yaml"
            )
            let arm = ["run", "think.yaml", "--arm", "direct"]
            if program == "rsd-evaluate" { _ = try Program("rsd-train", in: folder).run(arm) }
            let result = try Program(program, in: folder).run(arm)
            #expect(result.status == 0, "\(result.error)")
            return result.error.split(separator: "\n").map(String.init).filter {
                $0.hasPrefix("warning: ") && $0.contains("asks it to think")
            }
        }
        for program in ["rsd-train", "rsd-evaluate"] {
            let found = try warnings(program, template: "preset: plain, thinking: true")
            #expect(found.count == 1, "\(program): \(found)")
            #expect(
                found.first?.contains("has no <think> (it cannot write it) and no </think>") == true
            )
            #expect(try warnings(program, template: "preset: plain").isEmpty)
        }
    }

    /// Weights that the last update blew up are not saved.
    @Test func writesNoWeightsThatAreNotFinite() throws {
        let folder = try KilledTrainingTests.prepare()
        let text = String(decoding: try TextFile.read(folder.path("killed.yaml")), as: UTF8.self)
        try folder.write(
            text.replacing("learningRate: 1e-3", with: "learningRate: 1e39"),
            "killed.yaml"
        )
        let result = try Program("rsd-train", in: folder).run([
            "run", "killed.yaml", "--arm", "direct",
        ])
        #expect(result.status == 1)
        #expect(result.error.contains("not finite; training has diverged"), "\(result.error)")
        // There is none.
        #expect(!result.error.contains("last checkpoint"), "\(result.error)")
        let saved = folder.files(named: nil, below: "runs/killed/training")
        #expect(!saved.contains { $0.hasSuffix(".h5") }, "\(saved)")
    }
}
