import Basics
import Foundation
import Testing

/// The built programs, run as a user runs them.
@Suite struct CommandTests {
    @Test(arguments: [
        ("rsd-generate", "run select analyse bench contamination"),
        ("rsd-train", "run bench verify export"),
        ("rsd-evaluate", "run rescore report compare grade tokenize logprobs sample"),
    ]) func explainsItsCommands(_ program: String, _ commands: String) throws {
        for command in commands.split(separator: " ") {
            let result = try Program(program).run([String(command), "--help"])
            #expect(result.status == 0)
            #expect(result.output.contains("USAGE: \(program) \(command)"))
        }
    }

    @Test(arguments: ["rsd-generate", "rsd-train", "rsd-evaluate"])
    func saysItsVersionAndItsVariables(_ program: String) throws {
        let version = try Program(program).run(["--version"])
        #expect(version.status == 0)
        #expect(version.output.wholeMatch(of: /\d+\.\d+\.\d+\n/) != nil)
        let help = try Program(program).run(["--help"])
        for name in ["RSD_RUNS", "RSD_RESULTS", "RSD_THREADS", "RSD_MODELS", "RSD_DATA"] {
            #expect(help.output.contains(name))
        }
        let topic = try Program(program).run(["help", "run"])
        #expect(topic.status == 0 && topic.output.contains("USAGE: \(program) run"))
    }

    /// Nothing is called free of cost because it is not known yet.
    @Test func aPlanKnowsWhatItDoesNotKnow() throws {
        let folder = try Scratch()
        try folder.write(
            """
            name: mine
            models:
              teacher: {path: models/teacher.gguf}
              student: {path: models/student}
            problems: {path: data/problems.jsonl}
            benchmarks: [{name: held-out, path: data/test.jsonl}]
            template: {preset: chatml}
            arms:
              base: {kind: base}
              rsd: {kind: rsd}

            """,
            "mine.yaml"
        )
        for program in ["rsd-generate", "rsd-train", "rsd-evaluate"] {
            let result = try Program(program, in: folder).run(["run", "mine.yaml", "--dry-run"])
            #expect(result.status == 66, "\(result.error)")
            #expect(!result.output.contains("0:00 h"), "\(result.output)")
            for line in [
                "unknown until models/teacher.gguf, models/student, data/problems.jsonl are there",
                "what all this takes is unknown until", "missing: models/teacher.gguf",
            ] where program == "rsd-generate" {
                #expect(result.output.contains(line), "\(result.output)")
            }
            #expect(result.error.contains("data/test.jsonl (benchmarks, held-out)"))
        }
    }

    /// A step of training takes the memory that was announced, within a tenth, and once it has it
    /// asks for next to none.
    @Test(arguments: ["none", "layers"])
    func trainingTakesTheMemoryItAnnounces(_ recompute: String) throws {
        let options = ["--shape", "smollm2-135m", "--sequence", "384", "--steps", "1", "--json"]
        let result = try Program("rsd-train").run(["bench", "--recompute", recompute] + options)
        #expect(result.status == 0)
        let record = try JSON(parsing: result.output)
        let peak = try record.number("peak_rss_bytes")
        #expect(abs(try record.number("estimated_bytes") / peak - 1) <= 0.1)
        #expect(try record.integer("page_faults") < 5_000)
    }

    @Test(arguments: [
        ("rsd-train", ["run", "nowhere.yaml"], 66, "no such file"),
        ("rsd-generate", ["run", "unknown-key.yaml"], 78, "learing_rate"),
        ("rsd-evaluate", ["report", "not-yaml.yaml"], 78, "not-yaml.yaml"),
        ("rsd-train", ["verify", "nowhere.h5"], 66, "nowhere.h5"),
        ("rsd-train", ["verify", "truncated.h5"], 65, "truncated.h5"),
        ("rsd-train", ["export", "truncated.gguf", "--to", "out"], 65, "truncated.gguf"),
        ("rsd-train", ["bench", "--shape", "gpt-5"], 78, "gpt-5"),
        ("rsd-train", ["run"], 64, "experiment"),
        ("rsd-train", ["fly"], 64, "fly"),
        ("rsd-train", ["help", "fly"], 64, "Unknown command 'fly'; expected one of run, bench"),
        ("rsd-generate", ["run", "x.yaml", "--lim", "3"], 64, "Did you mean '--limit'?\nUsage: "),
        ("rsd-generate", ["run", "x.yaml", "--quick"], 64, "Unknown option '--quick'\n"),
        ("rsd-generate", ["run", "x.yaml", "--shard", "3/2"], 64, "i/N with i from 1 to N"),
        ("rsd-evaluate", ["grade", "torn.jsonl"], 65, "line 2"),
        (
            "rsd-evaluate", ["sample", "--model", "empty-folder", "--prompt", "x"], 66,
            "empty-folder"
        ),
        ("rsd-evaluate", ["run", "empty-problems.yaml"], 65, "empty.jsonl"),
    ]) func badInputHasItsOwnExitCode(
        _ program: String,
        _ arguments: [String],
        _ status: Int32,
        _ fragment: String
    ) throws {
        let folder = try Scratch()
        try folder.write("name: x\nlearing_rate: 3\n", "unknown-key.yaml")
        try folder.write("name: [\n", "not-yaml.yaml")
        try folder.write("no HDF5", "truncated.h5")
        try folder.write("GGUF\u{3}", "truncated.gguf")
        try folder.write("{\"gold\":\"1\",\"pred\":\"1\"}\n{\"gold\":\n", "torn.jsonl")
        try folder.write("", "empty.jsonl")
        try folder.write(
            """
            name: x
            models: {student: {scratch: {hiddenSize: 8, layers: 1, heads: 1,
              pretraining: {steps: 1, batch: 1}}}}
            benchmarks: [{name: b, path: empty.jsonl}]
            template: {preset: plain, endOfTurn: $}
            arms: {base: {kind: base}}

            """,
            "empty-problems.yaml"
        )
        try FileManager.default.createDirectory(
            atPath: folder.path("empty-folder"),
            withIntermediateDirectories: true
        )
        let result = try Program(program, in: folder).run(arguments)
        #expect(result.status == status, "\(result.error)")
        #expect(result.error.contains(fragment), "\(result.error)")
    }

    @Test(arguments: ["rsd-generate", "rsd-train", "rsd-evaluate"])
    func plansThePapersRun(_ program: String) throws {
        let result = try Program(program).run(["run", "experiments/paper.yaml", "--dry-run"])
        // Its models and problems are not part of the package.
        #expect(result.status == 66, "\(result.error)")
        #expect(result.error.contains("models.student"), "\(result.error)")
        for needed in ["s1", "Qwen3-0.6B", "GiB"] {
            #expect(result.output.contains(needed), "\(result.output)")
        }
    }

    @Test func gradeAnswersEveryLine() throws {
        let folder = try Scratch()
        var lines = Data("{\"gold\":\"1\",\"pred\":\"9^9^9^9\"}\n\n{\"gold\":\n[]\n".utf8)
        lines += Data("{\"gold\":\"5\",\"pred\":\"5".utf8) + [0xFF, 0xC0] + Data("\"}\n".utf8)
        let brackets = String(repeating: "(", count: 100_000)
        lines += Data("{\"gold\":\"5\",\"pred\":\"\(brackets)\"}\r\n{\"gold\":5,\"pred\":5.0}".utf8)
        try TextFile.write(lines, to: folder.path("hostile.jsonl"))
        let result = try Program("rsd-evaluate", in: folder).run(["grade", "hostile.jsonl"])
        #expect(result.status == 65)
        let records = try result.output.split(separator: "\n").map { try JSON(parsing: $0.utf8) }
        #expect(records.map { $0["equal"]?.bool } == [false, nil, nil, false, false, true])
        #expect(records.map { $0["line"]?.integer } == [nil, 3, 4, nil, nil, nil])
    }

    @Test func gradesLines() throws {
        let folder = try Scratch()
        try folder.write(
            "{\"gold\":\"1/2\",\"pred\":\"0.5\"}\n{\"gold\":\"3\",\"pred\":\"4\"}\n",
            "pairs.jsonl"
        )
        let result = try Program("rsd-evaluate", in: folder).run(["grade", "pairs.jsonl"])
        #expect(
            result.output
                == "{\"gold\":\"1/2\",\"pred\":\"0.5\",\"equal\":true}\n"
                + "{\"gold\":\"3\",\"pred\":\"4\",\"equal\":false}\n"
        )
    }
}
