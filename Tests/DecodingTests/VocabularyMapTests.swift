import Basics
import Foundation
import Testing

@testable import Decoding

@Suite struct VocabularyMapTests {
    /// Token spellings of a Qwen-like family in small: all bytes, some words, then special tokens.
    static let ordinary: [[UInt8]] =
        (0..<256).map { [UInt8($0)] } + [" the", "think", "response", "tool", "</"].map(bytes)

    static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

    /// Where the four ids follow the ordinary tokens and three that both have.
    static func side(_ name: String, tail: [String]) -> VocabularyMap.Side {
        let shared = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].map(bytes)
        return VocabularyMap.Side(
            name: name,
            tokens: ordinary + shared + tail.map(bytes),
            special: Set((0..<3).map { Int32(ordinary.count + $0) })
        )
    }

    static let teacher = side("Qwen2.5", tail: [])
    static let student = side(
        "Qwen3",
        tail: ["<tool_response>", "</tool_response>", "<think>", "</think>"]
    )

    /// Greedy longest match over the ordinary tokens.
    static func encode(_ text: [UInt8]) -> [Int32] {
        var rest = text[...]
        var ids: [Int32] = []
        while !rest.isEmpty {
            let fitting = ordinary.indices.filter { rest.starts(with: ordinary[$0]) }
            let best = fitting.max { ordinary[$0].count < ordinary[$1].count } ?? 0
            ids.append(Int32(best))
            rest = rest.dropFirst(ordinary[best].count)
        }
        return ids
    }

    @Test func tokensThatOnlyTheStudentHasAreSpelledForTheTeacher() throws {
        let map = try VocabularyMap(
            teacher: Self.teacher,
            student: Self.student,
            encode: Self.encode
        )
        let first = Int32(Self.ordinary.count + 3)
        #expect(map.studentOnly == [first, first + 1, first + 2, first + 3])
        #expect(map.teacherOnly.isEmpty && map.movedCount == 0 && !map.isIdentity)
        #expect(map.sameIDCount == Self.ordinary.count + 3)
        #expect(map.teacherTokens(for: 65) == [65])
        let word = Int32(256)
        #expect(map.teacherTokens(for: first + 2) == [60, word + 1, 62])  // < think >
        #expect(map.teacherTokens(for: first + 3) == [word + 4, word + 1, 62])  // </ think >
        #expect(map.teacherTokens(for: first) == [60, word + 3, 95, word + 2, 62])
        #expect(map.summary.contains("4 only the student's"))
    }

    @Test func idsThatMeanSomethingElseAreNotShared() throws {
        let teacher = Self.side("R1", tail: ["<think>", "</think>", "<pad1>", "<pad2>"])
        let map = try VocabularyMap(teacher: teacher, student: Self.student, encode: Self.encode)
        let first = Int32(Self.ordinary.count + 3)
        #expect(map.teacherToStudent[Int(first)] == first + 2)
        #expect(map.studentToTeacher[Int(first + 2)] == first)
        #expect(map.teacherOnly == [first + 2, first + 3])
        #expect(map.studentOnly == [first, first + 1])
        #expect(map.movedCount == 2)
    }

    @Test func equalVocabulariesAreTheIdentity() throws {
        var padded = Self.teacher
        padded.tokens += [[], []]
        let map = try VocabularyMap(teacher: padded, student: Self.teacher) { _ in [] }
        #expect(map.isIdentity && map.studentOnly.isEmpty && map.studentHoles.isEmpty)
        #expect(map.teacherVocabularySize == Self.ordinary.count + 3)
    }

    @Test func specialAndOrdinaryTokensOfOneSpellingDiffer() throws {
        var student = Self.teacher
        student.special.remove(Int32(Self.ordinary.count + 2))
        let map = try VocabularyMap(
            teacher: Self.teacher,
            student: student,
            encode: Self.encode
        )
        #expect(map.studentOnly == [Int32(Self.ordinary.count + 2)])
    }

    @Test func tokensSpelledAlikePairEqualIdsFirst() throws {
        func side(_ words: [String]) -> VocabularyMap.Side {
            .init(name: "toy", tokens: words.map(Self.bytes), special: [])
        }
        let map = try VocabularyMap(
            teacher: side(["a", "b", "a", "c"]),
            student: side(["a", "c", "a", "x"])
        ) { _ in [0] }
        #expect(map.teacherToStudent == [0, -1, 2, 1])
        #expect(map.studentToTeacher == [0, 3, 2, -1])
    }

    @Test func idsWithoutATokenAreHoles() throws {
        var student = Self.student
        student.tokens[Self.ordinary.count + 3] = []
        let map = try VocabularyMap(
            teacher: Self.teacher,
            student: student,
            encode: Self.encode
        )
        #expect(map.studentHoles == [Int32(Self.ordinary.count + 3)])
        #expect(map.studentVocabularySize == student.tokens.count)
    }

    @Test func vocabulariesThatShareTooLittleAreRefusedByName() {
        let other = VocabularyMap.Side(
            name: "Other",
            tokens: (0..<500).map { Self.bytes("word\($0)") },
            special: []
        )
        let failure = #expect(throws: Failure.self) {
            try VocabularyMap(teacher: Self.teacher, student: other, encode: Self.encode)
        }
        #expect(failure?.kind == .configuration)
        #expect(failure?.message.contains("Qwen2.5") == true)
        #expect(failure?.message.contains("Other") == true)
        #expect(failure?.message.contains("share 0 % of the student's 500") == true)
        #expect(failure?.message.contains("this pair does not fit") == true)
    }

    @Test(arguments: [
        // One family: a few added tokens differ.
        (151_643, 151_643, 151_665, VocabularyFit.Degree.full, "over 99 % of the student's 151665"),
        (95, 100, 96, .full, "share 99 % of the student's 96 ordinary tokens and 95 %"),
        (94, 100, 96, .partial, "fits in part: the teacher can propose shared tokens only"),
        // SmolLM2 under Qwen2.5.
        (39_237, 151_643, 49_135, .partial, "share 80 % of the student's 49135"),
        (39_237, 151_643, 49_135, .partial, "26 % of the teacher's 151643"),
        (50, 1000, 100, .partial, "share 50 %"), (49, 1000, 100, .none, "this pair does not fit"),
        (1, 1000, 1000, .none, "share under 1 % of the student's"), (0, 0, 0, .none, "none"),
    ])
    func whetherAPairFitsIsSaidInWords(
        _ shared: Int,
        _ teacher: Int,
        _ student: Int,
        _ degree: VocabularyFit.Degree,
        _ words: String
    ) {
        let fit = VocabularyFit(shared: shared, teacher: teacher, student: student)
        #expect(fit.degree == degree)
        #expect("\(fit)".contains(words), "\(fit)")
    }

    @Test(arguments: [[], [-1], [1_000_000]] as [[Int32]])
    func spellingsThatAreNoTeacherTokensAreRefused(_ spelled: [Int32]) {
        #expect(throws: Failure.self) {
            try VocabularyMap(teacher: Self.teacher, student: Self.student) { _ in spelled }
        }
    }
}

extension VocabularyMapTests {
    @Test func aTeacherReadsSpellingsAndPredictsBehindThem() throws {
        let map = try VocabularyMap(
            teacher: Self.teacher,
            student: Self.student,
            encode: Self.encode
        )
        let think = Int32(Self.ordinary.count + 5)
        let word = Int32(256)
        let reading = TeacherReading(of: [think, 65, 66], after: [1, 2], vocabularies: map)
        // < think > stands for one token; the last token is only predicted.
        #expect(reading.tokens == [1, 2, 60, word + 1, 62, 65])
        #expect(reading.rows == [1, 4, 5])
        let shared = VocabularyMap(sharedVocabularySize: 100)
        let same = TeacherReading(of: [7, 8], after: [5], vocabularies: shared)
        #expect(same.tokens == [5, 7] && same.rows == [0, 1])
    }
}
