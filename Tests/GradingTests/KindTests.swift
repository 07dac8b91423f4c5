import Foundation
import Testing

@testable import Grading

/// The table of pairs in Fixtures/kinds.tsv: ten and more of each kind of accident, near misses too.
@Suite struct KindTests {
    static let pairs = GraderTests.pairs(of: "kinds")

    @Test func everyKindHasNearMisses() {
        let kinds = Dictionary(grouping: Self.pairs, by: \.group)
        #expect(kinds.count >= 55)
        for (kind, pairs) in kinds {
            #expect(pairs.count >= 10, "\(kind)")
            #expect(pairs.count { !$0.isEqual } >= 3, "\(kind)")
        }
    }

    @Test(arguments: pairs) func verdictIsTheOneSetByHand(_ pair: GraderTests.Pair) {
        #expect(Grader.equal(gold: pair.gold, prediction: pair.prediction) == pair.isEqual)
    }

    @Test func equalityIsSymmetricAndReflexive() {
        for pair in Self.pairs {
            let (a, b) = (pair.gold, pair.prediction)
            #expect(Grader.equal(gold: b, prediction: a) == pair.isEqual, "\(b) | \(a)")
            #expect(Grader.equal(gold: a, prediction: a), "\(a)")
            #expect(Grader.equal(gold: b, prediction: b), "\(b)")
        }
    }
}
