import Basics
import Foundation
import Grading
import Records
import TestSupport

/// Seeds and readers of the JSON Lines and CSV files.
enum RecordFormats {
    /// Reads records again from what is written of them.
    ///
    /// - Throws: `FuzzFault` when what comes back is not what was there.
    static func check<T>(
        _ records: [T],
        _ json: (T) -> JSON,
        _ path: String,
        _ read: (String) throws -> [T]
    ) throws {
        guard !records.isEmpty else { return }
        let again = path + ".again"
        let lines = records.map { json($0).compact }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(filePath: again))
        let second: [T]
        do { second = try read(again) } catch let failure as Failure {
            throw FuzzFault("what was written cannot be read: \(failure)")
        }
        guard second.map({ json($0).compact }) == lines else {
            throw FuzzFault("other records come back")
        }
    }

    static func problems(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/problems.jsonl",
            seeds: [
                """
                {"id": "a", "problem": "What is 1+1?", "answer": "2", "level": 3}
                {"id": "b", "problem": "What is 2\\n+2?", "answer": 4, "solution": "2+2=4"}
                {"unique_id": "c/1.json", "question": "Half of 3?", "answer": "So #### 1 1/2"}

                """,
                """
                {"ID": 7, "Body": "Ann has 3.", "Question": "How many?", "Answer": 3.0}
                {"problem": "one two three four five six seven eight nine ten", "target": "10"}
                {"problem": "one two three four five six seven eight nine ten", "gold": "1e1"}

                """,
            ],
            words: ["\"id\"", "\"answer\"", "\"problem\"", "\"#### 1,000\"", "\"a\"", "\"b\""]
        ) { path, random in
            let choice = RecordChoice(limit: 2, seed: random.isOne(in: 2) ? 3 : nil)
            let set =
                try random.isOne(in: 4)
                ? ProblemSet.read(path, choosing: choice) : ProblemSet.read(path)
            try check(set.problems, \.json, path) { try ProblemSet.read($0).problems }
            let entries = try Contamination.entries(path)
            let index = Contamination(entries)
            for entry in entries.prefix(20) where index.overlaps(of: entry).isEmpty {
                // Very short texts are not compared.
                if entry.text.utf8.count > 200 { throw FuzzFault("a problem is not like itself") }
            }
        }
    }

    static func choices(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/gpqa.csv",
            seeds: [
                """
                Record ID,Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3,Subdomain
                rec1,"Which, of ""these""?",one,two,three,"fo
                ur",Physics
                rec2,Why?,a,b,c,d,Chemistry

                """,
                "Question,Correct Answer,Incorrect Answer 1,Incorrect Answer 2,Incorrect Answer 3\r\nq,1,2,3,4\r\n",
            ],
            words: ["\"\"", ",", "\r", "\"a\"\"b\"", "Question"]
        ) { path, random in
            let set = try ProblemSet.read(path, choicesSeed: UInt64(random.below(3)))
            guard set.problems.allSatisfy({ ["A", "B", "C", "D"].contains($0.answer) }) else {
                throw FuzzFault("an answer is no letter")
            }
        }
    }

    private static let trace = """
        {"id":"a","try":0,"seed":1,"policy":"rsd","seed_key":"rsd/1","prompt":"00ff","threshold":0.01,\
        "stop":"endOfTurn","verdict":"right","text":"the 2","ids":[1,2,3],"source":"tst",\
        "p_teacher":[0.5,null,1],"p_student":[0.25,0.5,0.01],\
        "refused":[[1,9,0.5,0.001,"threshold"]],"acceptance":[[0.001,0.9],[0.1,0.5]]}
        {"id":"a","try":1,"seed":-1,"policy":"teacher","seed_key":"","prompt":"","threshold":0,\
        "stop":"length","verdict":"unparsed","text":"","ids":[],"source":"","p_teacher":[],\
        "p_student":[],"refused":[],"acceptance":[]}

        """

    static func traces(_ folder: String) throws -> any FuzzSubject {
        let verdicts = AnswerVerdict.allCases.map { "\"\($0.rawValue)\"" }
        // A verdict that there is, whatever the verdicts are called.
        let seed = trace.replacing("\"right\"", with: verdicts[0])
            .replacing("\"unparsed\"", with: verdicts[verdicts.count - 1])
        return try TextSubject(
            "\(folder)/traces.jsonl",
            seeds: [seed],
            words: verdicts + [
                "\"topK\"", "\"tttt\"", "0.01", "0.0099", "1.1", "\"endOfText\"", "\"student\"",
            ]
        ) { path, random in
            let traces = try Trace.read(path)
            try check(traces, \.json, path, Trace.read)
            for trace in traces {
                let start = trace.prefix(random.below(4))
                try start.checkRule()
                guard (0...1).contains(start.fallbackRate) else {
                    throw FuzzFault("a share above 1")
                }
            }
        }
    }

    static func selected(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/selected.jsonl",
            seeds: [
                """
                {"id":"a","problem":"1+1?","answer":"2","text":"2","ids":[1,2],"weights":[1,0.5],"origin":"x"}
                {"id":"b","problem":"2+2?","answer":"4","text":"4","ids":[1],"complete":false}
                {"id":"c","problem":"2+2?","answer":"4","text":"four","trace":"4"}

                """
            ],
            words: ["\"weights\"", "\"ids\"", "[0,0]", "[-1]", "\"trace\""]
        ) { path, random in
            if random.isOne(in: 3) {
                _ = try SelectedTrace.readExternal(path, member: "text")
            } else {
                try check(SelectedTrace.read(path), \.json, path, SelectedTrace.read)
            }
        }
    }

    static func targets(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/targets.jsonl",
            seeds: [
                """
                {"id":"a","vocabulary":"0f","ids":[1,2],"top":[[1,3],[2]],\
                "logprobs":[[-1.0986123,-1.0986123],[0]],"rest":[-1.0986123,null]}
                {"id":"b","vocabulary":"0f","ids":[7],"top":[[]],"logprobs":[[]],"rest":[0]}

                """
            ],
            words: ["\"top\"", "\"logprobs\"", "[[1]]", "[[0]]", "null", "-0.6931472"]
        ) { path, _ in
            func read(_ path: String) throws -> [TokenTargets] {
                try JSONLines.read(path) { try TokenTargets(json: $0) }
            }
            try check(read(path), \.json, path, read)
        }
    }

    static func ranks(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/ranks.jsonl",
            seeds: [
                """
                {"id":"a","try":0,"ranks":[1,100]}
                {"id":"b","try":15,"ranks":[]}

                """
            ],
            words: ["\"ranks\"", "[0]", "[101]", "1.0"]
        ) { path, _ in
            func read(_ path: String) throws -> [TokenRanks] {
                try JSONLines.read(path, tornTail: .drop) { try TokenRanks(json: $0) }
            }
            try check(read(path), \.json, path, read)
        }
    }

    static func ranked(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/ranked.jsonl",
            seeds: [
                """
                {"id":"a","shown":[2,0],"chosen":0,"tokens":3,"text":"so #2"}
                {"id":"b","shown":[],"chosen":null,"tokens":0,"text":""}

                """
            ],
            words: ["\"shown\"", "\"chosen\"", "[1,1]", "null", "-1"]
        ) { path, _ in
            func read(_ path: String) throws -> [RankedChoice] {
                try JSONLines.read(path, tornTail: .drop) { try RankedChoice(json: $0) }
            }
            try check(read(path), \.json, path, read)
        }
    }

    static func gate(_ folder: String) throws -> any FuzzSubject {
        try TextSubject(
            "\(folder)/gate.jsonl",
            seeds: [
                """
                {"id":"a","ratios":[0,1.25]}
                {"id":"b","ratios":[1e-7]}

                """
            ],
            words: ["\"ratios\"", "[]", "[-1]", "1e39", "null"]
        ) { path, _ in
            func read(_ path: String) throws -> [OwnSurprisals] {
                try JSONLines.read(path, tornTail: .drop) { try OwnSurprisals(json: $0) }
            }
            try check(read(path), \.json, path, read)
        }
    }

    static func samples(_ folder: String) throws -> any FuzzSubject {
        let verdicts = AnswerVerdict.allCases.map { "\"\($0.rawValue)\"" }
        let seed = verdicts.enumerated().map { index, verdict in
            """
            {"id":"a","benchmark":"x","sample":\(index),"verdict":\(verdict),"extracted":"2",\
            "rule":"box","truncated":false,"tokens":3,"text":"so 2","ids":[1,2,3]}

            """
        }.joined()
        return try TextSubject("\(folder)/samples.jsonl", seeds: [seed], words: verdicts) {
            path,
            _ in
            try check(Sample.read(path), \.json, path, Sample.read)
        }
    }
}
