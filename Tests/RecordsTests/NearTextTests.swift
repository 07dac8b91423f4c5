import TestSupport
import Testing

@testable import Records

/// Problems that are near others, found by an index and by comparing all with all.
@Suite struct NearTextTests {
    /// What `Contamination` finds near, by comparing a text with every other.
    private func compared(_ text: String, with others: [(id: String, text: String)])
        -> [(id: String, share: Double)]
    {
        func runs(_ text: String) -> Set<[Substring]> {
            let words = text.lowercased().split { !$0.isLetter && !$0.isNumber }
            guard words.count > Contamination.runLength else { return [] }
            let starts = 0...(words.count - Contamination.runLength)
            return Set(starts.map { Array(words[$0..<$0 + Contamination.runLength]) })
        }
        let own = runs(text)
        guard own.count >= Contamination.fewestRuns else { return [] }
        var seen: Set<Set<[Substring]>> = []
        let near = others.compactMap { other -> (id: String, share: Double)? in
            let theirs = runs(other.text)
            guard theirs.count >= Contamination.fewestRuns, seen.insert(theirs).inserted else {
                return nil
            }
            let common = own.intersection(theirs).count
            let share = Double(common) / Double(min(own.count, theirs.count))
            return share >= Contamination.nearShare ? (other.id, share) : nil
        }
        let sorted = near.sorted { ($0.share, $1.id) > ($1.share, $0.id) }
        return Array(sorted.prefix(Contamination.mostNear))
    }

    /// Texts of a few sources, each changed in places, cut or continued; some are repeated.
    private func texts(_ count: Int, sources: Int, _ generator: inout SplitMix) -> [String] {
        let vocabulary = (0..<60).map { "w\($0)" }
        func words(_ count: Int, _ generator: inout SplitMix) -> [String] {
            (0..<count).map { _ in vocabulary[Int.random(in: 0..<60, using: &generator)] }
        }
        let begun = (0..<sources).map { _ in
            words(Int.random(in: 10...80, using: &generator), &generator)
        }
        return (0..<count).map { _ in
            var text = begun[Int.random(in: 0..<sources, using: &generator)]
            for _ in 0..<Int.random(in: 0...3, using: &generator) {
                let place = Int.random(in: text.indices, using: &generator)
                text[place] = "\(Int.random(in: 0..<5, using: &generator))"
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                text.removeFirst(Int.random(in: 0..<text.count / 2, using: &generator))
            }
            if Int.random(in: 0..<4, using: &generator) == 0 {
                text += words(Int.random(in: 1...20, using: &generator), &generator)
            }
            return text.joined(separator: " ")
        }
    }

    /// Few sources make runs that are common to many texts, many sources rare ones.
    @Test(arguments: [1, 3, 10, 150]) func theIndexFindsWhatComparingFinds(sources: Int) {
        var generator = SplitMix(state: UInt64(sources))
        var near = 0
        for _ in 0..<2 {
            let others = texts(120, sources: sources, &generator)
            let benchmark = others.enumerated().map { (id: "\(7919 * $0 % 1000)", text: $1) }
            let check = Contamination(benchmark)
            let asked =
                texts(30, sources: sources, &generator) + others.prefix(20).map { "So " + $0 }
            for text in asked where !others.contains(text) {
                let found = check.overlaps(of: ("t", text))
                let expected = compared(text, with: benchmark)
                #expect(found.map(\.benchmarkID) == expected.map(\.id))
                #expect(found.map { $0.share ?? 1 } == expected.map(\.share))
                near += found.count
            }
        }
        #expect(near > 30)
    }

    /// Texts that differ in a word are each near all the others: 25 million pairs.
    @Test func nearlyEqualTextsCostNoMoreThanOthers() {
        let words = (0..<30).map { "word\($0)" }
        let many = (0..<5000).map { index in
            (
                id: "\(index)",
                text: (words[..<28] + ["\(index)"] + words[28...]).joined(separator: " ")
            )
        }
        let found = Contamination(many).overlaps(of: many.map { ($0.id, "So " + $0.text) })
        #expect(found.count == 5000)
        // Each is most like its own, then like those with the smallest ids.
        #expect(found.allSatisfy { $0.count == Contamination.mostNear && $0[0].share == 1 })
        #expect(zip(found, many).allSatisfy { $0[0].benchmarkID == $1.id })
        #expect(found[4999].dropFirst().map(\.benchmarkID) == Array(many.map(\.id).sorted()[..<19]))
    }

    /// A text that is longer than any problem is the same as itself, and near nothing.
    @Test func longTextsAreEqualOrNot() {
        let words = (0..<60_000).map { "w\($0 * 7919 % 60_013)" }
        let long = words.joined(separator: " ")
        #expect(long.utf8.count > ProblemText.longest)
        let part = words[100..<200].joined(separator: " ")
        let check = Contamination([("long", long), ("part", part)])
        #expect(check.overlaps(of: ("t", long)).map(\.isExact) == [true])
        #expect(check.overlaps(of: ("t", long + " and one")).isEmpty)
        #expect(check.overlaps(of: ("t", "So " + part)).map(\.benchmarkID) == ["part"])
    }
}
