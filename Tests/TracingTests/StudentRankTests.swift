import Basics
import Foundation
import Kernels
import Models
import Records
import Testing
import Tokenizers

@testable import Experiments
@testable import Tracing

/// What is computed of tries by a pass of a model, once, and kept in a file.
@Suite struct StudentRankTests {
    /// An experiment whose tries are all there, with arms that take them all, or the best.
    static func prepare(_ laboratory: Laboratory) throws -> Scope {
        let loose = "requireCorrect: false, requireEndOfTurn: false, maxFallbackRate: 1"
        let scope = try laboratory.scope(
            laboratory.text(
                arms: """
                      every: {kind: rsd, selection: {select: all, \(loose)}}
                      likely: {kind: rsd, selection: {select: lowest-perplexity, \(loose)}}
                      ranked: {kind: rsd, selection: {select: rank-surprisal, \(loose)}}
                    """
            )
        )
        try Laboratory.generate(scope)
        return scope
    }

    static func selected(_ scope: Scope, _ arm: String) throws -> (stage: Stage, data: Data) {
        let stage = try scope.layout.selection(scope.experiment.arm(arm), seed: 1)
        return (try #require(stage), try TextFile.read(try #require(stage).selected))
    }

    /// Softmax rows behind each token but the last.
    private func rows(_ model: LanguageModel, _ ids: [Int32]) -> [[Float]] {
        let logits = model.transformer.logits(
            TokenBatch([ids]),
            wanted: Array(0..<ids.count - 1)
        )
        return (0..<logits.rows).map { logits.rows($0..<$0 + 1).elements }
    }

    @Test func triesAreRankedOnce() throws {
        let laboratory = try Laboratory()
        let scope = try Self.prepare(laboratory)
        let traces = try Laboratory.stage(scope, "ranked")
        let path = traces.file("ranks.jsonl")
        let ranks = try JSONLines.read(path) { try TokenRanks(json: $0) }
        let tries = try Trace.read(traces.traces())
        #expect(ranks.count == tries.count && tries.count == 21)

        let student = try LanguageModel("\(laboratory.folder)/student.h5", storage: .stored)
        var ratios: [TryKey: Double] = [:]
        let problems = try scope.layout.problems(seed: 1).problems
        for trace in tries {
            let found = try #require(ranks.first { TryKey($0.id, $0.attempt) == TryKey(trace) })
            let problem = try #require(problems.first { $0.id == trace.id })
            let prompt = try scope.experiment.template.encode(
                problem: problem.problem,
                with: student.tokenizer
            )
            let expected = rows(student, prompt + trace.ids).dropFirst(prompt.count - 1)
            for (rank, (row, token)) in zip(found.ranks, zip(expected, trace.ids)) {
                let above = row.prefix(student.vocabularySize).count { $0 > row[Int(token)] }
                #expect(rank == min(100, above + 1))
            }
            let surprisal = trace.studentProbability.reduce(0) { $0 - log(Double($1)) }
            ratios[TryKey(trace)] = Double(found.ranks.reduce(0, +)) / surprisal
        }
        #expect(ranks.contains { $0.ranks.contains { $0 > 1 } })
        let (selection, data) = try Self.selected(scope, "ranked")
        let kept = try SelectedTrace.read(selection.selected)
        #expect(kept.count == 7)
        for trace in kept {
            let own = (0..<3).compactMap { ratios[TryKey(trace.id, $0)] }
            let best = try #require(own.indices.min { own[$0] < own[$1] })
            #expect(trace.origin == "rsd, seed 1, try \(best)")
        }

        // Again, from the file alone; and the file is believed.
        let stored = try TextFile.read(path)
        try FileManager.default.removeItem(atPath: selection.folder)
        _ = try scope.select(ModelStore())
        #expect(try Self.selected(scope, "ranked").data == data)
        #expect(try TextFile.read(path) == stored)
        try JSONLines.write(
            ranks.map { rank in
                var copy = rank
                copy.ranks = rank.ranks.map { _ in rank.attempt == 2 ? 1 : 100 }
                return copy.json
            },
            to: path
        )
        _ = try scope.select(ModelStore())
        let others = try SelectedTrace.read(selection.selected)
        #expect(others.allSatisfy { $0.origin == "rsd, seed 1, try 2" })

        // Only what an interrupted writer left undone is computed again.
        try TextFile.write(stored.dropLast(9), to: path)
        _ = try scope.select(ModelStore())
        #expect(try TextFile.read(path) == stored)
        #expect(try Self.selected(scope, "ranked").data == data)

        var short = ranks
        short[0].ranks.removeLast()
        try JSONLines.write(short.map(\.json), to: path)
        let failure = #expect(throws: Failure.self) { try scope.select(ModelStore()) }
        #expect(failure?.kind.exitCode == 65 && failure?.file == path)
    }

    @Test func perplexityNeedsNoModel() throws {
        let laboratory = try Laboratory()
        let scope = try Self.prepare(laboratory)
        let kept = try SelectedTrace.read(Self.selected(scope, "likely").stage.selected)
        let tries = try Trace.read(Laboratory.stage(scope, "likely").traces())
        #expect(kept.count == 7)
        for trace in kept {
            let own = tries.filter { $0.id == trace.id }.sorted { $0.attempt < $1.attempt }
            let means = own.map { $0.surprisal / Double($0.ids.count) }
            let best = try #require(means.indices.min { means[$0] < means[$1] })
            #expect(trace.origin == "rsd, seed 1, try \(best)")
        }
        #expect(try Self.selected(scope, "every").data.count > 7)
    }

    @Test func targetsAreWhatTheTeacherSays() throws {
        let laboratory = try Laboratory()
        let scope = try Self.prepare(laboratory)
        let path = "\(laboratory.folder)/targets.jsonl"
        let arms = try ["likely", "ranked"].map { try scope.experiment.arm($0) }
        var added = 0
        try TargetMaking(scope.layout, ModelStore(), count: 4)
            .run(arms, into: path) { added = $0 }
        let targets = try JSONLines.read(path) { try TokenTargets(json: $0) }
        let traces = try arms.map(\.name).flatMap {
            try SelectedTrace.read(Self.selected(scope, $0).stage.selected)
        }
        // A try that both arms train on has its targets once.
        #expect(targets.count == added && (7...14).contains(added))

        let teacher = try LanguageModel("\(laboratory.folder)/teacher.h5", storage: .stored)
        let template = scope.experiment.template
        for trace in traces {
            let example = try template.example(trace, with: teacher.tokenizer)
            let found = targets.filter { $0.id == trace.id }
            let completion = Array(example.ids.dropFirst(example.promptCount))
            let own = try #require(found.first { $0.ids == completion })
            #expect(own.vocabulary == teacher.tokenizer.vocabularyDigest)
            let expected = rows(teacher, example.ids).dropFirst(example.promptCount - 1)
            for (position, row) in expected.enumerated() {
                let sum = log(row.reduce(0) { $0 + exp(Double($1)) })
                let best = row.indices.sorted { (-row[$0], $0) < (-row[$1], $1) }.prefix(4)
                    .filter { $0 < teacher.vocabularySize }
                #expect(own.top[position] == best.map(Int32.init))
                let worst =
                    zip(best, own.logProbabilities[position])
                    .map { abs(Double(row[$0]) - sum - Double($1)) }.max() ?? 0
                #expect(worst < 1e-5)
            }
        }

        let bytes = try TextFile.read(path)
        try TextFile.write(bytes.dropLast(9), to: path)
        try TargetMaking(scope.layout, ModelStore(), count: 4).run(arms, into: path)
        #expect(try TextFile.read(path) == bytes)
        let selection = try Self.selected(scope, "likely").stage
        try FileManager.default.removeItem(atPath: selection.folder)
        let failure = #expect(throws: Failure.self) {
            try TargetMaking(scope.layout, ModelStore(), count: 4).run(arms, into: path)
        }
        #expect(failure?.kind.exitCode == 66)
    }
}
