import Basics
import Foundation
import Testing

@testable import Records

/// Files of benchmarks as they are published.
@Suite struct BenchmarkFileTests {
    static let records: [(record: String, id: String, problem: String, answer: String)] = [
        (#"{"id":"a","problem":"p","answer":"2"}"#, "a", "p", "2"),
        (#"{"id":60,"problem":"p","answer":"204"}"#, "60", "p", "204"),
        (#"{"unique_id":"test/1.json","problem":"p","answer":"2"}"#, "test/1.json", "p", "2"),
        (#"{"question":"q","answer":"so 9+9\n#### 1,018"}"#, "1", "q", "1018"),
        (#"{"ID":"c-1","Body":"b.","Question":"q?","Answer":145.0}"#, "c-1", "b. q?", "145"),
        (#"{"id":"a","question":"q","answer":27.5}"#, "a", "q", "27.5"),
        (#"{"problem":"p","target":7}"#, "1", "p", "7"),
    ]

    @Test(arguments: records) func namesOfPublishedFiles(
        _ item: (record: String, id: String, problem: String, answer: String)
    ) throws {
        try withFile(item.record + "\n") { path in
            let problem = try #require(try ProblemSet.read(path).problems.first)
            #expect(problem.id == item.id)
            #expect(problem.problem == item.problem)
            #expect(problem.answer == item.answer)
        }
    }

    static let gpqa = """
        Subdomain,Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,\
        Incorrect Answer 3,Canary String\r
        Physics,rec1,"Which, of ""these"",\r
        is right?",right one,"wrong, first",wrong two,wrong three,x\r
        Biology,rec2,Second?,r,w1,w2,w3,x\r

        """

    private func withCSV<T>(_ text: String, _ body: (String) throws -> T) throws -> T {
        let path = NSTemporaryDirectory() + "rsd-\(UUID().uuidString).csv"
        try TextFile.write(text, to: path)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    @Test func choicesAreShuffledBySeed() throws {
        try withCSV(Self.gpqa) { path in
            var letters: Set<String> = []
            for seed in 0..<20 as Range<UInt64> {
                let set = try ProblemSet.read(path, choicesSeed: seed)
                #expect(set.problems.map(\.id) == ["rec1", "rec2"])
                #expect(set.digest == (try ProblemSet.read(path, choicesSeed: seed)).digest)
                let first = set.problems[0]
                #expect(first.problem.hasPrefix("Which, of \"these\",\r\nis right?\n\nA) "))
                #expect(first.problem.contains("\n\(first.answer)) right one"))
                for choice in ["wrong, first", "wrong two", "wrong three"] {
                    #expect(first.problem.contains(") \(choice)"))
                }
                letters.insert(first.answer)
            }
            #expect(letters == ["A", "B", "C", "D"])
        }
    }

    @Test(arguments: [
        ("Question,Correct Answer\na,b\n", "badData: line 1: has no column 'Incorrect Answer 1'"),
        ("a,b\n1,2,3\n", "badData: line 2: has 3 fields; expected 2"),
        ("a,b\n1,\"2\n", "badData: line 2: a quote never ends"),
        ("", "badData: line 1: is empty; expected the names of columns"),
        (gpqa + "Physics,rec3,,a,b,c,d,x\n", "badData: line 5: 'Question' is empty"),
        (gpqa + "P,rec2,q,a,b,c,d,x\n", "badData: line 5, 'id': 'rec2' occurs a second time"),
    ]) func refusesOtherTables(_ text: String, _ expected: String) throws {
        try withCSV(text) { path in
            let said = message { _ = try ProblemSet.read(path) }
            #expect(said.hasPrefix(expected), "\(said)")
        }
    }

    @Test func publishedBenchmarksAreWhole() throws {
        guard let folder = ProcessInfo.processInfo.environment["RSD_DATA"] else {
            print("SKIPPED: set RSD_DATA to a folder of benchmarks to read them")
            return
        }
        for (name, count) in [
            ("aime24", 30), ("aime25", 30), ("math500", 500), ("gsm8k_test", 1319),
            ("svamp", 1000), ("amc23", 40), ("minerva_math", 272),
        ] {
            #expect(try ProblemSet.read("\(folder)/\(name).jsonl").problems.count == count)
        }
    }
}

@Suite struct ContaminationTests {
    private let text = """
        A train leaves the station at noon and travels east at 60 miles per hour; how far is it \
        from the station at half past three in the afternoon?
        """

    @Test func sameTextsAreExact() {
        let check = Contamination([("b", text), ("c", "Another question.")])
        let shown = text.uppercased().replacing(" ", with: "\n ").replacing(";", with: "\\,")
        #expect(check.overlaps(of: ("t", shown)) == [.init(id: "t", benchmarkID: "b")])
        #expect(check.overlaps(of: ("t", text.replacing("60", with: "70"))).isEmpty)
        #expect(check.overlaps(of: ("t", "another QUESTION")).first?.isExact == true)
    }

    @Test func longCommonRunsAreNear() {
        let check = Contamination([("b", text)])
        let longer = "Solve this problem. " + text + " Give your answer in miles."
        let found = check.overlaps(of: ("t", longer))
        #expect(found.first?.share == 1 && found.count == 1)
        // Short texts share runs too easily.
        #expect(Contamination([("b", "What is x?")]).overlaps(of: ("t", "What is x")).count == 1)
        #expect(Contamination([("b", "What is x?")]).overlaps(of: ("t", "So what is x")).isEmpty)
    }

    /// The overlaps that are known of published files.
    @Test func knownOverlapsAreFound() throws {
        guard let folder = ProcessInfo.processInfo.environment["RSD_DATA"] else {
            print("SKIPPED: set RSD_DATA to a folder of benchmarks to look for overlaps")
            return
        }
        let known = [
            "math500 aime_1983_2023": [
                "aime-1983-1-2", "aime-1994-1-13", "aime-2001-2-3", "aime-2010-1-6",
                "aime-2015-2-6", "aime-2016-1-10", "aime-2017-2-7",
            ],
            "math500 s1k_questions": ["s1K-0081", "s1K-0124", "s1K-0181"],
            "math500 limo_questions": ["limo-159", "limo-211", "limo-217", "limo-289", "limo-451"],
        ]
        for benchmark in ["math500", "aime24", "aime25", "amc23", "gsm8k_test", "minerva_math"] {
            let check = Contamination(try Contamination.entries("\(folder)/\(benchmark).jsonl"))
            for name in ["math_train", "aime_1983_2023", "s1k_questions", "limo_questions"] {
                let exact = try Contamination.entries("\(folder)/\(name).jsonl")
                    .flatMap { check.overlaps(of: $0) }.filter(\.isExact).map(\.id)
                #expect(exact == known["\(benchmark) \(name)"] ?? [], "\(benchmark) \(name)")
            }
        }
    }
}
