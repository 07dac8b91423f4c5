import ArgumentParser
import Basics
import Decoding
import ExperimentSupport
import Experiments
import Foundation
import Kernels
import Models
import Records
import Testing
import Tokenizers

@testable import Evaluate
@testable import Experiments
@testable import Programs
@testable import Scoring

@Suite struct ToolTests {
    @Test(arguments: [
        (#"{"gold":"1/2","pred":"0.5","n":1}"#, #"{"gold":"1/2","pred":"0.5","n":1,"equal":true}"#),
        (#"{"pred":8,"gold":"8"}"#, #"{"pred":8,"gold":"8","equal":true}"#),
        (#"{"gold":"8","pred":null}"#, #"{"gold":"8","pred":null,"equal":false}"#),
        (#"{"gold":"8","equal":7,"pred":"9"}"#, #"{"gold":"8","pred":"9","equal":false}"#),
    ]) func gradeWritesTheRecordBack(_ input: String, _ output: String) throws {
        #expect(try GradeCommand.graded(JSON(parsing: input)).compact == output)
    }

    @Test(arguments: [#"{"gold":"8"}"#, #"{"gold":[],"pred":"1"}"#, "[1]"])
    func gradeRefusesWhatIsNoPair(_ input: String) throws {
        let found = failure { _ = try GradeCommand.graded(JSON(parsing: input)) }
        #expect(found?.kind == .badData)
    }

    @Test func tokenizeParsesSpecialTokensAndGivesTheTextBack() throws {
        let tokenizer = try ChainWorld.tokenizer
        let result = try TokenizeCommand.tokenized(["text": "7-5=2, #2$"], tokenizer)
        #expect(result["decoded"]?.string == "7-5=2, #2$")
        let ids = try result.integers("ids")
        #expect(ids.last == tokenizer.eosID.map(Int.init))
        #expect(ids.dropLast() == (ChainWorld.tokens("7-5=2, #2") ?? []).map(Int.init)[...])
        #expect(
            failure { _ = try TokenizeCommand.tokenized(["x": 1], tokenizer) }?.kind == .badData
        )
    }

    @Test func tokenizerComesFromAnyFormOfAModel() throws {
        let tiny = try TinyExperiment()
        let expected = try ChainWorld.tokenizer
        try TextFile.write(expected.toJSON(), to: tiny.path("folder/tokenizer.json"))
        for name in ["student.h5", "folder", "folder/tokenizer.json"] {
            let tokenizer = try Tokenizer(at: tiny.path(name))
            #expect(tokenizer.vocabularySize == expected.vocabularySize, "\(name)")
            #expect(
                try tokenizer.encode("1+1?", specialTokens: .parse)
                    == expected.encode("1+1?", specialTokens: .parse)
            )
        }
        let found = failure { _ = try Tokenizer(at: tiny.path("none.gguf")) }
        #expect(found?.kind == .missingInput)
    }

    @Test func logprobsAreThoseOfTheSoftmaxAndDoNotDependOnChunks() throws {
        let model = try TinyExperiment.model(seed: 3)
        let ids: [Int32] = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5]
        let scores = SequenceScoring(model).score(ids)
        #expect(scores.logProbabilities.count == 10 && scores.argmax.count == 11)
        for rows in [1, 2, 5, 11] {
            #expect(SequenceScoring(model, rowsPerPass: rows).score(ids) == scores)
        }
        let input = SequenceInput(tokens: ids, cache: model.makeCache(), logitRows: ids.count)
        let logits = try #require(try model.logits([input])[0])
        let columns = model.configuration.vocabularySize
        for row in ids.indices {
            let values = logits[row * columns..<(row + 1) * columns].array.map(Double.init)
            #expect(Int(scores.argmax[row]) == values.indices.max { values[$0] < values[$1] })
            guard row < 10 else { continue }
            let total = log(values.reduce(0) { $0 + exp($1) })
            let expected = values[Int(ids[row + 1])] - total
            #expect(abs(Double(scores.logProbabilities[row]) - expected) < 1e-5)
        }
        #expect(SequenceScoring(model).score([7]).logProbabilities.isEmpty)
        let beyond = Int32(model.configuration.vocabularySize)
        for id in [-1, beyond] {
            #expect(throws: Failure.self) {
                try SequenceScoring(model).probabilities(of: [id], after: [1])
            }
        }
        #expect(SequenceScoring(model).score([]) == .init())
        let found = failure { _ = try SequenceScoring(model).checked([1, columns]) }
        #expect(found?.kind == .badData && found?.place == "'ids', position 1")
    }

    @Test func aCompletionIsWhatTheEngineMakes() throws {
        let model = try TinyExperiment.model(seed: 4)
        let parameters = SamplingParameters(temperature: 0.9, topP: 0.9)
        let prompt: [Int32] = [1, 2, 3, 4]
        var bytes: [UInt8] = []
        let tokens = try Completion(model, parameters, seed: 6).run(prompt, maxTokens: 20) {
            bytes += $0
        }
        let engine = try DecodingEngine(
            model: model,
            rule: PlainSampling(parameters, vocabularySize: model.vocabularySize, seed: 6),
            stop: StopRules(endOfTurn: model.tokenizer.endOfTurnIDs, maxNewTokens: 20)
        )
        var made: [CompletedSequence] = []
        try engine.run([DecodingRequest(id: Completion.item, prompt: prompt)]) { made.append($0) }
        #expect(made.map(\.tokens) == [tokens])
        let text = tokens.last == model.tokenizer.eosID ? tokens.dropLast() : tokens[...]
        #expect(bytes == model.tokenizer.decode(text, skipSpecial: false))
        let found = failure {
            _ = try SampleCommand.promptTokens("", system: nil, raw: true, model.tokenizer)
        }
        #expect(found?.kind == .badData)
    }

    @Test func samplesBeginAsTheModelsTemplateHasIt() throws {
        let fixture = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "TokenizersTests/Fixtures/qwen2.json")
        let template =
            "{% for m in messages %}<|im_start|>{{ m.role }}: {{ m.content }}{% endfor %}"
            + "{{ enable_thinking is defined }}"
        let tokenizer = try Tokenizer(
            json: TextFile.readJSON(fixture.path(percentEncoded: false)),
            configuration: ["chat_template": .string(template)]
        )
        func prompt(_ system: String?, raw: Bool = false, thinks: Bool? = nil) throws -> String {
            let ids = try SampleCommand.promptTokens(
                "1+1?",
                system: system,
                raw: raw,
                thinks: thinks,
                tokenizer
            )
            return tokenizer.text(of: ids, skipSpecial: false)
        }
        #expect(try prompt(nil) == "<|im_start|>user: 1+1?False")
        let system = "<|im_start|>system: Be brief.<|im_start|>user: 1+1?True"
        #expect(try prompt("Be brief.", thinks: false) == system)
        #expect(try prompt("Be brief.", raw: true) == "1+1?")
    }

    static let usage: [[String]] = [
        [], ["run"], ["run", "x.yaml", "--limit", "0"], ["nonsense"], ["tokenize"],
        ["logprobs", "--model", "m", "--input", "i", "--storage", "int3"],
        ["sample", "--model", "m", "--prompt", "p", "--top-p", "0"],
        ["sample", "--model", "m", "--prompt", "p", "--max-tokens", "0"],
    ]

    @Test(arguments: usage) func usageErrorsExitWith64(_ arguments: [String]) {
        do {
            let command = try EvaluateCommand.parseAsRoot(arguments)
            #expect(arguments.isEmpty && command is EvaluateCommand)
        } catch {
            #expect(EvaluateCommand.exitCode(for: error).rawValue == 64)
        }
    }

    @Test func askedForWhatTheExperimentLacksIsAConfigurationError() throws {
        let tiny = try TinyExperiment()
        let experiment = try tiny.experiment()
        try TextFile.write(experiment.text, to: experiment.file)
        for arguments in [["--arm", "rsd"], ["--seed", "9"], ["--variant", "x"]] {
            let options = try ExperimentOptions.parse([experiment.file] + arguments)
            let found = failure { _ = try options.variants() }
            #expect(found.map(CommandLineMain.exitCode) == 78)
        }
        let options = try ExperimentOptions.parse([experiment.file, "--seed", "1"])
        #expect(try options.variants().map(\.seeds) == [[1]])
    }
}
