import Basics
import Foundation
import Testing

@testable import Experiments

@Suite struct ExperimentReferenceTests {
    @Test func thePageIsUpToDate() throws {
        let path = "\(ExperimentFileTests.folder)/../docs/experiment.md"
        let page = String(decoding: try TextFile.read(path), as: UTF8.self)
        #expect(
            page == ExperimentReference.markdown,
            "write it anew: rsd-generate keys > docs/experiment.md"
        )
    }

    @Test func everyKeyIsTold() {
        let rows = ExperimentReference.parts.flatMap(\.rows)
        #expect(rows.count > 100)
        #expect(rows.allSatisfy { $0.meaning.hasSuffix(".") && !$0.words.isEmpty })
        for part in ExperimentReference.parts {
            #expect(Set(part.rows.map(\.name)).count == part.rows.count, "\(part.title)")
        }
    }

    /// The file with which the names of stages are pinned leaves out no key.
    @Test func everyKeyIsPinned() throws {
        let path = PinnedStageTests.fixture("every-key.yaml")
        let text = String(decoding: try TextFile.read(path), as: UTF8.self)
        for row in ExperimentReference.parts.flatMap(\.rows) where row.name != "grid" {
            let key = row.name.split(separator: ".").last ?? ""
            #expect(text.contains("\(key):"), "\(row.name)")
        }
    }

    @Test func resultsDependOnWhatThePageSays() throws {
        let names = GenerationSettings().members.members.map(\.key)
        let told = KeyRow.rows(of: GenerationSettings())
        let results = told.filter { $0.influence == .results && !$0.name.contains(".") }
        #expect(Set(names).isSubset(of: told.map(\.name)))
        // Left out where there is none, or at the default.
        let absent: Set = ["seed", "skdTopK", "hint"]
        #expect(Set(results.map(\.name)).subtracting(names) == absent)
    }
}
