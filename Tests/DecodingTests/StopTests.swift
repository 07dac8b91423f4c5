import Basics
import Foundation
import Kernels
import Synchronization
import Testing

@testable import Decoding

@Suite struct StopTests {
    static let size = 4

    /// A model that says the same tokens after every one-token prompt, and then 1 for ever.
    static func script(_ tokens: [Int32]) -> ToyModel {
        ToyModel(vocabularySize: size) { context in
            let next = context.count <= tokens.count ? tokens[context.count - 1] : 1
            return (0..<size).map { $0 == Int(next) ? 9 : 0 }
        }
    }

    static func finish(_ model: ToyModel, _ stop: StopRules) throws -> CompletedSequence {
        try DecodingEngineTests.run(
            [model],
            PlainSampling(.greedy, vocabularySize: size, seed: 1),
            stop: stop,
            [DecodingRequest(id: "a", prompt: [1])]
        )[0]
    }

    @Test func aSequenceEndsWithItsTurn() throws {
        let found = try Self.finish(Self.script([2, 3, 0]), StopRules(endOfTurn: [0]))
        #expect(found.tokens == [2, 3, 0])
        #expect(found.stop == .endOfTurn && found.spokenTokens == [2, 3])
    }

    /// The end of a text ends a sequence, and is told from the end of a turn.
    @Test func aSequenceEndsWithItsText() throws {
        let model = Self.script([2, 3, 0])
        let text = try Self.finish(model, StopRules(endOfTurn: [2], endOfText: [3]))
        #expect(text.tokens == [2] && text.stop == .endOfTurn)
        let other = try Self.finish(model, StopRules(endOfTurn: [0], endOfText: [3]))
        #expect(other.tokens == [2, 3] && other.stop == .endOfText && other.spokenTokens == [2])
        let both = try Self.finish(model, StopRules(endOfTurn: [2], endOfText: [2, 3]))
        #expect(both.tokens == [2] && both.stop == .endOfTurn)
    }

    @Test func limitsCutAndAreFlagged() throws {
        let endless = Self.script([])
        let new = try Self.finish(endless, StopRules(endOfTurn: [0], maxNewTokens: 5))
        #expect(new.tokens.count == 5 && new.stop == .length && new.spokenTokens.count == 5)
        let total = try Self.finish(
            endless,
            StopRules(endOfTurn: [0], maxNewTokens: 50, maxTotalTokens: 8)
        )
        #expect(total.tokens.count == 7 && total.stop == .length)
        // A turn that ends with the last token allowed is not cut.
        let exact = try Self.finish(
            Self.script([2, 2, 0]),
            StopRules(endOfTurn: [0], maxNewTokens: 3)
        )
        #expect(exact.stop == .endOfTurn)
        let long = try Self.finish(endless, StopRules(endOfTurn: [0], maxTotalTokens: 1))
        #expect(long.tokens.isEmpty && long.stop == .length)
    }

    @Test func cancellationStopsAtTheNextStep() throws {
        let flag = CancellationFlag()
        let engine = try DecodingEngine(
            model: DecodingEngineTests.student(),
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
            model: DecodingEngineTests.student(),
            proposer: LocalProposer(DecodingEngineTests.teacher()),
            rule: DecodingEngineTests.reverse(),
            stop: DecodingEngineTests.stop
        )
        var all: [CompletedSequence] = []
        let done = try engine.run(DecodingEngineTests.requests) { all.append($0) }
        let decisions = all.flatMap(\.decisions)
        #expect(done.newTokens == decisions.count)
        #expect(done.acceptedTokens == decisions.count { $0.source == .teacher })
        #expect(done.refusedProposals == decisions.reduce(0) { $0 + $1.refused.count })
        #expect(done.finishedSequences == all.count)
        #expect(!done.wasCancelled)
    }

    @Test func whatDeliveryThrowsEndsTheRun() throws {
        let engine = try DecodingEngine(
            model: DecodingEngineTests.student(),
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
                model: DecodingEngineTests.student(),
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
