import Basics
import Foundation
import Synchronization
import Testing

@testable import Experiments

/// A clock that tests turn, and what was written.
final class Recorder: Sendable {
    let time = Mutex(100.0)
    let output = Mutex("")

    func display(live: Bool, colored: Bool = false, columns: Int = 80) -> ProgressDisplay {
        ProgressDisplay(
            isLive: live,
            isColored: colored,
            columns: columns,
            now: { self.time.withLock { $0 } },
            write: { text in self.output.withLock { $0 += text } }
        )
    }

    func pass(_ seconds: Double) { time.withLock { $0 += seconds } }
    var text: String { output.withLock { $0 } }
}

@Suite struct ProgressTests {
    @Test func addsALineSoonAndThenEveryHalfMinuteOffATerminal() {
        let recorder = Recorder()
        let progress = ProgressLine(
            "rsd seed 1",
            total: 300,
            unit: "problems",
            done: 60,
            display: recorder.display(live: false)
        )
        for done in 61...180 {
            recorder.pass(0.5)
            progress.update(done: done, [("accepted", "97.1 %"), ("", "5,210 tokens/s")])
        }
        progress.finish([("kept", "170")])
        progress.finish()
        #expect(
            recorder.text == """
                rsd seed 1: 66/300 problems  22 %  1:57 left  accepted 97.1 %  \
                5,210 tokens/s  2.0 problems/s
                rsd seed 1: 126/300 problems  42 %  1:27 left  accepted 97.1 %  \
                5,210 tokens/s  2.0 problems/s
                rsd seed 1: 180/300 problems  in 1:00  kept 170  2.0 problems/s

                """
        )
    }

    @Test func rewritesItsLineOnATerminal() {
        let recorder = Recorder()
        let progress = ProgressLine(
            "step",
            total: nil,
            unit: "steps",
            display: recorder.display(live: true, colored: true, columns: 40)
        )
        progress.update(done: 0)
        recorder.pass(0.125)
        progress.update(done: 1)
        recorder.pass(0.125)
        progress.update(done: 2, [("loss", "1.25 and many more words")])
        progress.finish([("loss", "1.2")])
        #expect(
            recorder.text == "\r\u{1B}[1mstep\u{1B}[0m: 0 steps\u{1B}[K"
                + "\r\u{1B}[1mstep\u{1B}[0m: 2 steps  8.0 steps/s\u{1B}[K"
                + "\r\u{1B}[1mstep\u{1B}[0m: 2 steps  in 0:00  loss 1.2\u{1B}[K\n"
        )
    }

    @Test func workThatEndsEarlyLeavesItsLine() {
        let recorder = Recorder()
        func work(live: Bool) {
            let progress = ProgressLine(
                "x",
                total: 3,
                unit: "items",
                display: recorder.display(live: live)
            )
            progress.update(done: 1)
        }
        work(live: true)
        // What is shown at once is that nothing is done yet.
        #expect(recorder.text == "\rx: 0/3 items  0 %\u{1B}[K\n")
        work(live: false)
        #expect(recorder.text.count { $0 == "\n" } == 1)
    }

    @Test func shortWorkIsOneLineOffATerminal() {
        let recorder = Recorder()
        let progress = ProgressLine(
            "x",
            total: 3,
            unit: "items",
            display: recorder.display(live: false)
        )
        progress.update(done: 3)
        recorder.pass(4)
        progress.finish()
        #expect(recorder.text == "x: 3/3 items  in 0:04  0.75 items/s\n")
    }

    @Test(arguments: [
        (0.123, "0.12"), (0.996, "1.0"), (3.44, "3.4"), (9.96, "10"), (56.4, "56"),
        (7890.1, "7,890"), (.nan, "?"), (0.0996, "0.10"), (0.00412, "0.0041"),
        (0.000017, "0.000017"),
        (0, "0.0"),
    ]) func showsRates(_ value: Double, _ expected: String) {
        #expect(ProgressLine.rate(value) == expected)
    }

    @Test(arguments: [
        (7, "0:07"), (754, "12:34"), (11045, "3:04:05"), (.infinity, "?"), (-3, "0:00"),
    ]) func showsDurations(_ seconds: Double, _ expected: String) {
        #expect(ProgressLine.duration(seconds) == expected)
    }
}

@Suite struct ManifestTests {
    @Test func isWrittenFirstAndClosedLast() throws {
        try withFolder { folder in
            let path = "\(folder)/manifest.json"
            let times = Mutex([Date(timeIntervalSince1970: 0), Date(timeIntervalSince1970: 61.5)])
            let manifest = try Manifest(
                path,
                configuration: ["name": "small"],
                seeds: [1, 2],
                inputs: [("/somewhere/else/model.gguf", "abc"), ("data/p.jsonl", "def")],
                surroundings: Manifest.Surroundings(
                    command: ["rsd-train", "run", "small.yaml"],
                    commit: "0123-dirty",
                    libraries: [("hdf5", "1.10.8")],
                    machine: ["cpu": "Some CPU"]
                ),
                clock: { times.withLock { $0.removeFirst() } }
            )
            let text = { String(decoding: try TextFile.read(path), as: UTF8.self) }
            let first = try text()
            #expect(
                first == """
                    {
                      "status": "running",
                      "command": [
                        "rsd-train",
                        "run",
                        "small.yaml"
                      ],
                      "commit": "0123-dirty",
                      "started": "1970-01-01T00:00:00Z",
                      "finished": null,
                      "wall_seconds": null,
                      "peak_rss_bytes": null,
                      "seeds": [
                        1,
                        2
                      ],
                      "inputs": {
                        "model.gguf": "abc",
                        "data/p.jsonl": "def"
                      },
                      "libraries": {
                        "hdf5": "1.10.8"
                      },
                      "machine": {
                        "cpu": "Some CPU"
                      },
                      "results": null,
                      "configuration": {
                        "name": "small"
                      }
                    }

                    """
            )
            try manifest.close(.finished, results: ["kept": 3])
            let closed = try TextFile.readJSON(path)
            #expect(closed["status"]?.string == "finished")
            #expect(closed["finished"]?.string == "1970-01-01T00:01:01Z")
            #expect(closed["wall_seconds"]?.number == 61.5)
            #expect((closed["peak_rss_bytes"]?.integer ?? 0) > 1 << 20)
            #expect(closed["results"]?.canonical == #"{"kept":3}"#)
        }
    }

    /// A stage made in three pieces, the first of them killed while it wrote.
    @Test func countsTheTimeOfEarlierPieces() throws {
        try withFolder { folder in
            let path = "\(folder)/manifest.json"
            let times = Mutex([0, 100, 107, 200, 203].map { Date(timeIntervalSince1970: $0) })
            func manifest() throws -> Manifest {
                try Manifest(
                    path,
                    configuration: .null,
                    seeds: [],
                    inputs: [],
                    surroundings: .init(command: [], commit: nil, libraries: [], machine: .null),
                    clock: { times.withLock { $0.removeFirst() } }
                )
            }
            _ = try manifest()
            try TextFile.write("a line", to: "\(folder)/traces.jsonl")
            for file in ["traces.jsonl", "manifest.json"] {
                try FileManager.default.setAttributes(
                    [
                        .modificationDate: Date(
                            timeIntervalSince1970: file == "traces.jsonl" ? 9 : 1
                        )
                    ],
                    ofItemAtPath: "\(folder)/\(file)"
                )
            }
            try manifest().close(.interrupted)
            #expect(try TextFile.readJSON(path)["earlier_seconds"]?.number == 9)
            try manifest().close(.finished)
            let closed = try TextFile.readJSON(path)
            #expect(closed["earlier_seconds"]?.number == 16)
            #expect(closed["wall_seconds"]?.number == 3)
        }
    }

    /// The commit of a tree of its own after each change, with where the results are.
    @Test func onlyWhatIsNoResultMakesACommitDirty() throws {
        try withFolder { folder in
            let folder = URL(filePath: folder).resolvingSymlinksInPath()
                .path(percentEncoded: false)
            func git(_ arguments: String...) throws {
                let process = Process()
                process.executableURL = URL(filePath: "/usr/bin/env")
                process.currentDirectoryURL = URL(filePath: folder)
                process.arguments =
                    ["git", "-c", "user.name=n", "-c", "user.email=e@example.org"] + arguments
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
                try process.run()
                process.waitUntilExit()
            }
            #expect(RunEnvironment.gitCommit(in: folder, results: "results") == nil)
            try git("init")
            try TextFile.write("a", to: "\(folder)/source.txt")
            try TextFile.write("a", to: "\(folder)/results/small/table.md")
            try TextFile.write("a", to: "\(folder)/results.md")
            try git("add", ".")
            try git("commit", "-m", "first")
            guard let clean = RunEnvironment.gitCommit(in: folder, results: "results") else {
                print("SKIPPED: git is not installed")
                return
            }
            func isDirty(_ results: String) -> Bool {
                RunEnvironment.gitCommit(in: folder, results: results) == clean + "-dirty"
            }
            #expect(clean.count == 40)
            try TextFile.write("b", to: "\(folder)/results/small/table.md")
            try TextFile.write("new", to: "\(folder)/untracked.txt")
            #expect(!isDirty("results") && !isDirty("\(folder)/results/"))
            #expect(isDirty("results/other") && isDirty("/nowhere"))
            // Seen from below as well.
            let below = RunEnvironment.gitCommit(in: "\(folder)/results", results: "small")
            #expect(below == clean)
            try TextFile.write("b", to: "\(folder)/results.md")
            #expect(isDirty("results"))
            try TextFile.write("a", to: "\(folder)/results.md")
            try git("mv", "source.txt", "results/source.txt")
            #expect(isDirty("results"))
        }
    }

    @Test func commandLinesHoldNoFoldersOfTheUser() {
        let here = FileManager.default.currentDirectoryPath
        let shown = RunEnvironment.commandLine([
            "/home/me/.build/release/rsd-train", "run", "\(here)/experiments/micro.yaml",
            "--to=/home/me/out", "--limit", "3", "relative/path",
        ])
        #expect(
            shown == [
                "rsd-train", "run", "experiments/micro.yaml", "--to=out", "--limit", "3",
                "relative/path",
            ]
        )
    }

    @Test(arguments: [
        ("plain-1.yaml", "plain-1.yaml"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("", "''"),
    ])
    func quotesForTheShell(_ argument: String, _ expected: String) {
        #expect(RunEnvironment.shellQuoted(argument) == expected)
    }

    @Test func canonicalTextIgnoresTheOrderOfMembers() {
        let one: JSON = ["b": [1, ["y": 2, "x": 3]], "a": .number(0.5)]
        let other: JSON = ["a": .number(0.5), "b": [1, ["x": 3, "y": 2]]]
        #expect(one.canonical == other.canonical)
        #expect(one.canonical == #"{"a":0.5,"b":[1,{"x":3,"y":2}]}"#)
    }
}

@Suite struct StopTests {
    #if compiler(>=6.2)
        /// In a process of its own: a request stops whatever is running.
        @Test func theFirstSignalIsARequest() async {
            await #expect(processExitsWith: .success) {
                Interrupts.install()
                #expect(!Interrupts.isRequested)
                #expect(throws: Never.self) { try Interrupts.check() }
                // To the process: the threads that run tests have signals blocked.
                kill(ProcessInfo.processInfo.processIdentifier, SIGUSR1)
                let deadline = Date(timeIntervalSinceNow: 5)
                while !Interrupts.isRequested && Date() < deadline { usleep(1000) }
                #expect(Interrupts.isRequested)
                #expect(
                    failureText { try Interrupts.check(resume: "again") }.hasPrefix("75: stopped")
                )
                Interrupts.install()
                #expect(!Interrupts.isRequested)
            }
        }
    #endif

    @Test func aRequestedStopIsNoError() {
        let stopped = StandardError.message(for: Interrupts.stopped(resume: "rsd-train run x"))
        #expect(
            stopped == "stopped on request; what was finished is kept\nGo on with: rsd-train run x"
        )
        let failed = Failure(
            .badData,
            file: "f",
            at: "line 2",
            "found a; expected b",
            remedy: "Fix."
        )
        #expect(
            StandardError.message(for: failed) == "Error: f: line 2: found a; expected b\nFix."
        )
    }
}
