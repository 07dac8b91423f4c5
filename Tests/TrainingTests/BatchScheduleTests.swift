import Testing

@testable import Training

@Suite struct BatchScheduleTests {
    static let lengths = (0..<37).map { 5 + ($0 * 29) % 40 }

    static func schedule(tokens: Int = 64, seed: UInt64 = 1) -> BatchSchedule {
        BatchSchedule(
            lengths: lengths,
            batchSize: 8,
            epochs: 3,
            microBatchTokens: tokens,
            seed: seed
        )
    }

    @Test(arguments: [1, 64, 100_000]) func everyEpochSeesEveryExampleOnce(tokens: Int) {
        let schedule = Self.schedule(tokens: tokens)
        #expect(schedule.stepsPerEpoch == 5)
        #expect(schedule.stepCount == 15)
        for epoch in 0..<3 {
            let steps = (0..<5).map { schedule.microBatches(step: epoch * 5 + $0).flatMap(\.self) }
            #expect(steps.flatMap(\.self).sorted() == Array(0..<37))
            #expect(steps.map(\.count) == [8, 8, 8, 8, 5])
        }
    }

    @Test func orderIgnoresTheMicroBatchSize() {
        let reference = Self.schedule(tokens: 1)
        for tokens in [30, 64, 200, 100_000] {
            let other = Self.schedule(tokens: tokens)
            for index in 0..<15 {
                let order = other.microBatches(step: index).flatMap(\.self)
                #expect(order == reference.microBatches(step: index).flatMap(\.self))
            }
        }
    }

    @Test func microBatchesKeepToTheirBudgetLongestFirst() {
        let schedule = Self.schedule(tokens: 64)
        for index in 0..<15 {
            let batches = schedule.microBatches(step: index)
            let sizes = batches.joined().map { Self.lengths[$0] }
            #expect(sizes == sizes.sorted(by: >))
            for batch in batches {
                #expect(!batch.isEmpty)
                let tokens = batch.reduce(0) { $0 + Self.lengths[$1] }
                #expect(tokens <= 64 || batch.count == 1)
            }
        }
        #expect(
            BatchSchedule.microBatches([0, 1, 2, 3], lengths: [90, 40, 24, 1], tokens: 64)
                == [[0], [1, 2], [3]]
        )
    }

    @Test func ordersDifferByEpochAndSeed() {
        let schedule = Self.schedule()
        #expect(schedule.order(epoch: 0) != schedule.order(epoch: 1))
        #expect(schedule.order(epoch: 0) != Self.schedule(seed: 2).order(epoch: 0))
        #expect(schedule.order(epoch: 0) == Self.schedule().order(epoch: 0))
    }
}
