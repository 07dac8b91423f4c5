import Files
import Foundation
import Kernels
import Synchronization
import Testing

@testable import Decoding

@Suite struct StopTests {
    static let bytes: [[UInt8]] = ["", "a", "b", "c", "ab", "bca", "é"].map { Array($0.utf8) }

    /// A model that says the same tokens after every one-token prompt, and then 1 for ever.
    static func script(_ tokens: [Int32]) -> ToyModel {
        ToyModel(vocabularySize: bytes.count) { context in
            let next = context.count <= tokens.count ? tokens[context.count - 1] : 1
            return bytes.indices.map { $0 == Int(next) ? 9 : 0 }
        }
    }

    static func finish(_ model: ToyModel, _ stop: StopRules) throws -> CompletedSequence {
        try DecodingEngineTests.run(
            [model],
            PlainSampling(.greedy, vocabularySize: bytes.count, seed: 1),
            stop: stop,
            [DecodingRequest(id: "a", prompt: [1])]
        )[0]
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var script: [Int32]
        var strings: [String]
        var tokens: [Int32]
        var finish: FinishReason
        var string: Int?
        var testDescription: String { name }
    }

    static let cases: [Case] = [
        Case(
            name: "end of turn",
            script: [2, 3, 0],
            strings: [],
            tokens: [2, 3, 0],
            finish: .endOfTurn,
            string: nil
        ),
        Case(
            name: "within one token",
            script: [3, 5, 2],
            strings: ["bc"],
            tokens: [3, 5],
            finish: .stopString,
            string: 0
        ),
        Case(
            name: "over three tokens",
            script: [4, 3, 4, 2],
            strings: ["zz", "bcab"],
            tokens: [4, 3, 4],
            finish: .stopString,
            string: 1
        ),
        Case(
            name: "after a false start",
            script: [1, 1, 1, 2, 0],
            strings: ["aab"],
            tokens: [1, 1, 1, 2],
            finish: .stopString,
            string: 0
        ),
        Case(
            name: "the one that ends first",
            script: [5, 0],
            strings: ["bca", "bc"],
            tokens: [5],
            finish: .stopString,
            string: 1
        ),
        Case(
            name: "the listed first of two",
            script: [3, 4, 0],
            strings: ["ab", "b"],
            tokens: [3, 4],
            finish: .stopString,
            string: 0
        ),
        Case(
            name: "part of a character",
            script: [2, 6, 0],
            strings: ["é"],
            tokens: [2, 6],
            finish: .stopString,
            string: 0
        ),
        Case(
            name: "not there",
            script: [2, 3, 0],
            strings: ["cb", "aa"],
            tokens: [2, 3, 0],
            finish: .endOfTurn,
            string: nil
        ),
    ]

    @Test(arguments: cases) func sequencesEndWhereTheyShould(_ c: Case) throws {
        let stop = StopRules(
            endOfTurn: [0],
            maxNewTokens: 9,
            stopStrings: c.strings.map { Array($0.utf8) },
            tokenBytes: Self.bytes
        )
        let found = try Self.finish(Self.script(c.script), stop)
        #expect(found.tokens == c.tokens)
        #expect(found.finish == c.finish)
        #expect(found.stopString == c.string)
        #expect(!found.finish.isTruncated)
    }

    @Test func limitsCutAndAreFlagged() throws {
        let endless = Self.script([])
        let new = try Self.finish(endless, StopRules(endOfTurn: [0], maxNewTokens: 5))
        #expect(new.tokens.count == 5 && new.finish == .maxNewTokens && new.finish.isTruncated)
        let total = try Self.finish(
            endless,
            StopRules(endOfTurn: [0], maxNewTokens: 50, maxTotalTokens: 8)
        )
        #expect(total.tokens.count == 7 && total.finish == .maxTotalTokens)
        #expect(total.finish.isTruncated)
        // A turn that ends with the last token allowed is not cut.
        let exact = try Self.finish(
            Self.script([2, 2, 0]),
            StopRules(endOfTurn: [0], maxNewTokens: 3)
        )
        #expect(exact.finish == .endOfTurn)
        let long = try Self.finish(endless, StopRules(endOfTurn: [0], maxTotalTokens: 1))
        #expect(long.tokens.isEmpty && long.finish == .promptTooLong && long.finish.isTruncated)
    }

    @Test func cancellationStopsAtTheNextStep() throws {
        let flag = CancellationFlag()
        let engine = try DecodingEngine(
            models: [DecodingEngineTests.student()],
            rule: PlainSampling(.init(), vocabularySize: DecodingEngineTests.size, seed: 1),
            stop: DecodingEngineTests.stop
        )
        var delivered = 0
        var steps: [DecodingProgress] = []
        let done = try engine.run(
            DecodingEngineTests.requests,
            cancellation: flag,
            progress: {
                steps.append($0)
                if $0.steps == 7 { flag.cancel() }
            },
            deliver: { _ in delivered += 1 }
        )
        #expect(done.wasCancelled && done.steps == 7 && steps.count == 7)
        #expect(delivered == done.finishedSequences)
        #expect(steps.map(\.newTokens) == steps.map(\.newTokens).sorted())
    }

    @Test func progressCountsWhatWasDelivered() throws {
        let engine = try DecodingEngine(
            models: [DecodingEngineTests.student(), DecodingEngineTests.teacher()],
            rule: DecodingEngineTests.reverse(),
            stop: DecodingEngineTests.stop
        )
        var all: [CompletedSequence] = []
        let done = try engine.run(DecodingEngineTests.requests) { all.append($0) }
        let decisions = all.flatMap(\.decisions)
        #expect(done.newTokens == decisions.count)
        #expect(done.acceptedTokens == decisions.count { $0.source == .teacher })
        #expect(done.refusedProposals == decisions.reduce(0) { $0 + $1.refused.count })
        #expect(done.finishedSequences == all.count && done.activeSequences == 0)
        let prompts = DecodingEngineTests.requests.map(\.prompt.count)
        #expect(done.promptTokens == prompts.reduce(0, +))
        #expect(!done.wasCancelled)
    }

    @Test func whatDeliveryThrowsEndsTheRun() throws {
        let engine = try DecodingEngine(
            models: [DecodingEngineTests.student()],
            rule: PlainSampling(.init(), vocabularySize: DecodingEngineTests.size, seed: 1),
            stop: DecodingEngineTests.stop
        )
        #expect(throws: Failure.self) {
            try engine.run(DecodingEngineTests.requests) { _ in throw Failure(.disk, "full") }
        }
    }

    @Test func requestsThatCannotBeServedAreRefusedByName() throws {
        let bad: [DecodingRequest] = [
            .init(id: "p7", prompt: []), .init(id: "p7", prompt: [1, 40]),
            .init(id: "p7", prompt: [-1]), .init(id: "p7", prompt: [1], attempts: [70_000]),
            .init(id: "p7", prompt: [1], teacherPrompt: []),
        ]
        for request in bad {
            let failure = #expect(throws: Failure.self) {
                try DecodingEngineTests.run(
                    [DecodingEngineTests.student(), DecodingEngineTests.teacher()],
                    DecodingEngineTests.reverse(),
                    [request]
                )
            }
            #expect(failure?.description.contains("p7") == true)
        }
    }

    @Test func aTokenizerLargerThanItsModelIsRefused() {
        let failure = #expect(throws: Failure.self) {
            try DecodingEngine(
                models: [DecodingEngineTests.student()],
                rule: PlainSampling(.init(), vocabularySize: 41, seed: 1),
                stop: DecodingEngineTests.stop
            )
        }
        #expect(failure?.message.contains("41") == true)
    }

    @Test func modelsWhoseLogitsAreNotNumbersEndTheRun() {
        let broken = ToyModel(vocabularySize: 7) { _ in Array(repeating: .nan, count: 7) }
        #expect(throws: Failure.self) {
            try Self.finish(broken, StopRules(endOfTurn: [0]))
        }
    }
}
