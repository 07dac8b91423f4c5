import Foundation
import Testing

@testable import Grading

/// Pairs made by Tools/grading_pairs.py from published reference answers, with what Math-Verify
/// 0.9.0 says of each.
@Suite struct PeerTests {
    struct Row: Sendable {
        var gold: String
        var prediction: String
        var isEqual: Bool
        var kind: String
        var peerSaysEqual: Bool
    }

    static let rows: [Row] = {
        guard let url = Bundle.module.url(forResource: "Fixtures/peer", withExtension: "tsv"),
            let text = try? String(contentsOf: url, encoding: .utf8)
        else { return [] }
        return text.split(separator: "\n").compactMap { line in
            let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
                .map(String.init)
            guard columns.count == 5 else { return nil }
            return Row(
                gold: columns[0],
                prediction: columns[1],
                isEqual: columns[2] == "=",
                kind: columns[3],
                peerSaysEqual: columns[4] == "="
            )
        }
    }()

    @Test func verdictsAreRight() {
        #expect(Self.rows.count >= 1_500)
        var (agreed, peerRight) = (0, 0)
        for row in Self.rows {
            let equal = Grader.equal(gold: row.gold, prediction: row.prediction)
            #expect(equal == row.isEqual, "\(row.kind): \(row.gold) | \(row.prediction)")
            if row.peerSaysEqual == row.isEqual {
                peerRight += 1
                agreed += equal == row.isEqual ? 1 : 0
            }
        }
        #expect(Double(agreed) >= 0.99 * Double(peerRight))
        print("agrees with Math-Verify in \(agreed) of the \(peerRight) pairs it has right")
    }

    @Test func verdictsAreSymmetric() {
        for row in Self.rows {
            #expect(
                Grader.equal(gold: row.prediction, prediction: row.gold) == row.isEqual,
                "\(row.prediction) | \(row.gold)"
            )
        }
    }
}
