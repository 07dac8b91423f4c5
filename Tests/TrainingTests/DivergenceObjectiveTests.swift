import Autograd
import Basics
import Decoding
import Experiments
import Foundation
import Kernels
import Models
import Records
import TestSupport
import Testing
import Tokenizers

@testable import Training

/// Learning from a teacher's distributions, by a model beside the student or from a file.
@Suite struct DivergenceObjectiveTests {
    static let divergences: [Divergence] = [
        .forwardKL, .reverseKL, .jensenShannon(beta: 0.5), .skewKL(alpha: 0.1),
    ]

    /// A tiny model of random weights; `order` renames the tokens: its token i is the usual one of id
    /// `order[i]`; the head has rows of `padding` behind them.
    static func model(seed: UInt64, order: [Int]? = nil, padding: Int = 3) throws
        -> LanguageModel
    {
        let words = ChainWorld.words.filter { $0 != ChainWorld.endOfTurn }
        let order = order ?? Array(words.indices)
        let tokenizer = try Tokenizer(
            words: order.map { words[$0] },
            endOfTurn: ChainWorld.endOfTurn
        )
        let configuration = ModelConfiguration(
            family: .qwen3,
            vocabularySize: tokenizer.vocabularySize + padding,
            hiddenSize: 16,
            intermediateSize: 24,
            layerCount: 1,
            queryHeadCount: 2,
            keyValueHeadCount: 1,
            headDimension: 8
        )
        let weights = RandomWeights<Float>(seed: seed, layerCount: 1, standardDeviation: 0.4)
        let transformer = try Transformer(configuration, weights: weights)
        for parameter in transformer.parameters
        where parameter.value.shape == [configuration.vocabularySize, 16] {
            let before = parameter.value.elements
            for (place, old) in order.enumerated() {
                parameter.value.rows(place..<place + 1).buffer
                    .copy(from: Buffer(Array(before[old * 16..<(old + 1) * 16])))
            }
        }
        return LanguageModel(name: "seed \(seed)", transformer: transformer, tokenizer: tokenizer)
    }

    static func batch(of count: Int = 3) throws -> MicroBatch {
        let examples = try TrainingRunTests.lessons().batch(step: 0).examples.prefix(count)
        return MicroBatch(
            examples: Array(examples),
            stepTargetCount: examples.reduce(0) { $0 + $1.targetCount }
        )
    }

    /// The loss of a batch, and the gradients of all weights.
    static func run(
        _ objective: any Objective,
        _ student: LanguageModel,
        _ batch: MicroBatch
    ) throws -> (loss: ObjectiveLoss, gradients: [Float]) {
        for parameter in student.transformer.parameters { parameter.unfreeze() }
        let tape = Tape<Float>()
        let loss = try objective.loss(of: batch, under: student.transformer, on: tape)
        loss.loss.backward()
        return (loss, student.transformer.parameters.flatMap { $0.gradient?.elements ?? [] })
    }

    private func distance(_ a: [Float], _ b: [Float]) -> Float {
        a.count == b.count && !a.isEmpty
            ? zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) } : .infinity
    }

    @Test(arguments: divergences) func isNothingWhereTheTeacherIsTheStudent(
        _ divergence: Divergence
    ) throws {
        let (student, teacher) = (try Self.model(seed: 1), try Self.model(seed: 1))
        let objective = DivergenceObjective(
            DistributionLoss(divergence),
            from: try LocalTeacher(teacher, of: student)
        )
        let (loss, gradients) = try Self.run(objective, student, Self.batch())
        #expect(abs(loss.loss.value.item) < 1e-6)
        #expect(loss.metrics.map(\.name) == ["teacher_tokens", "teacher_seconds"])
        #expect(gradients.count > 1000 && gradients.allSatisfy { abs($0) < 1e-5 })
    }

    /// Against the definition, from both models' whole logits.
    @Test func isTheMeanOverTheTargets() throws {
        let (student, teacher) = (try Self.model(seed: 1), try Self.model(seed: 2))
        let batch = try Self.batch()
        let objective = DivergenceObjective(
            DistributionLoss(.forwardKL, weight: 0.25),
            from: try LocalTeacher(teacher, of: student)
        )
        let found = try Self.run(objective, student, batch).loss
        func logProbabilities(_ model: LanguageModel) -> [[Double]] {
            let tokens = batch.tokens
            let logits = model.transformer.logits(tokens, wanted: Array(tokens.tokens.indices))
            return (0..<logits.rows).map { row in
                let values = logits.rows(row..<row + 1).elements.map(Double.init)
                let sum = log(values.reduce(0) { $0 + exp($1) })
                return values.map { $0 - sum }
            }
        }
        let (s, t) = (logProbabilities(student), logProbabilities(teacher))
        let count = student.vocabularySize
        /// Tokens, and the padding rows of the head together.
        func outcomes(_ row: [Double]) -> [Double] {
            row.prefix(count) + [log(row.dropFirst(count).reduce(0) { $0 + exp($1) })]
        }
        var (divergence, crossEntropy) = (0.0, 0.0)
        let wanted = batch.targets.indices.filter { batch.targets[$0] >= 0 }
        for row in wanted {
            divergence += zip(outcomes(t[row]), outcomes(s[row])).reduce(0) {
                $0 + exp($1.0) * ($1.0 - $1.1)
            }
            crossEntropy -= s[row][Int(batch.targets[row])]
        }
        divergence /= Double(wanted.count)
        crossEntropy /= Double(wanted.count)
        #expect(divergence > 0.1)
        #expect(abs(Double(found.loss.value.item) - 0.25 * divergence - 0.75 * crossEntropy) < 1e-4)
        let names = ["divergence", "cross_entropy", "teacher_tokens", "teacher_seconds"]
        #expect(found.metrics.map(\.name) == names)
        #expect(abs(found.metrics[0].value - divergence) < 1e-4)
        #expect(abs(found.metrics[1].value - crossEntropy) < 1e-4)
    }

    /// A teacher that numbers the same tokens otherwise says the same.
    @Test func anotherNumberingChangesNothing() throws {
        let student = try Self.model(seed: 1)
        let count = ChainWorld.words.count - 1
        let order = (0..<count).map { ($0 * 7 + 3) % count }
        #expect(Set(order).count == count)
        var batch = try Self.batch()
        let usual = DivergenceObjective(
            DistributionLoss(.reverseKL),
            from: try LocalTeacher(try Self.model(seed: 2), of: student)
        )
        let expected = try Self.run(usual, student, batch)
        let renamed = try LocalTeacher(try Self.model(seed: 2, order: order), of: student)
        let names = try ChainWorld.tokenizer
        let template = try Experiment(text: TrainingRunTests.experiment, file: "x").template
        batch = MicroBatch(
            examples: try batch.examples.map { example in
                var copy = example
                let prompt = example.ids.prefix(example.promptCount)
                let problem = names.text(of: prompt, skipSpecial: false)
                copy.teacherPrompt = try renamed.prompt(for: problem, after: [], template)
                #expect(copy.teacherPrompt?.count == example.promptCount)
                return copy
            },
            stepTargetCount: batch.stepTargetCount
        )
        let objective = DivergenceObjective(DistributionLoss(.reverseKL), from: renamed)
        let found = try Self.run(objective, student, batch)
        #expect(abs(found.loss.loss.value.item - expected.loss.loss.value.item) < 1e-5)
        #expect(distance(found.gradients, expected.gradients) < 1e-5)
    }

    /// What a teacher says of all tokens but one, kept in a file, teaches what the teacher does.
    static func targets(_ teacher: LanguageModel, _ batch: MicroBatch, vocabulary: String) throws
        -> [TokenTargets]
    {
        try batch.examples.map { example in
            let completion = Array(example.ids.dropFirst(example.promptCount))
            var (top, logarithms, rest): ([[Int32]], [[Float]], [Float]) = ([], [], [])
            let scoring = SequenceScoring(teacher)
            scoring.forEachPass(
                over: Array(example.ids.dropLast()),
                from: example.promptCount - 1
            ) { logits, rows in
                for row in 0..<rows.count {
                    let columns = logits.count / rows.count
                    let values = logits[row * columns..<(row + 1) * columns].array.map(Double.init)
                    let sum = log(values.reduce(0) { $0 + exp($1) })
                    let kept = teacher.vocabularySize
                    top.append((0..<Int32(kept)).map { $0 })
                    logarithms.append(values.prefix(kept).map { Float($0 - sum) })
                    let others = values.dropFirst(kept).reduce(0) { $0 + exp($1) }
                    rest.append(Float(log(others) - sum))
                }
            }
            let record = TokenTargets(
                id: example.id,
                vocabulary: vocabulary,
                ids: completion,
                top: top,
                logProbabilities: logarithms,
                rest: rest
            )
            return try TokenTargets(json: JSON(parsing: record.json.compact))
        }
    }

    @Test func storedTargetsTeachTheSame() throws {
        let (student, teacher) = (try Self.model(seed: 1), try Self.model(seed: 2))
        var batch = try Self.batch()
        let folder = try TemporaryFolder()
        let path = folder.file("targets.jsonl")
        let vocabulary = student.tokenizer.vocabularyDigest
        let records = try Self.targets(teacher, batch, vocabulary: vocabulary)
        try JSONLines.write(records.map(\.json), to: path)
        let stored = try StoredTeacher(path, of: student)
        // A trace that was cut has the targets of its start.
        var examples = batch.examples
        examples[1].ids.removeLast(2)
        examples[1].weights.removeLast(2)
        batch = MicroBatch(
            examples: examples,
            stepTargetCount: examples.reduce(0) { $0 + $1.targetCount }
        )
        let loss = DistributionLoss(.skewKL(alpha: 0.1), weight: 0.5)
        let local = try LocalTeacher(teacher, of: student)
        let one = try Self.run(DivergenceObjective(loss, from: local), student, batch)
        let two = try Self.run(DivergenceObjective(loss, from: stored), student, batch)
        #expect(abs(one.loss.loss.value.item - two.loss.loss.value.item) < 1e-5)
        #expect(distance(one.gradients, two.gradients) < 1e-5)

        let other = #expect(throws: Failure.self) {
            let count = ChainWorld.words.count - 1
            return try StoredTeacher(
                path,
                of: Self.model(seed: 1, order: Array((0..<count).reversed()))
            )
        }
        #expect(other?.kind.exitCode == 65 && other?.message.contains("another tokenizer") == true)
        examples[0].id = "never seen"
        let unknown = #expect(throws: Failure.self) {
            try stored.distributions(
                along: MicroBatch(examples: examples, stepTargetCount: 1)
            )
        }
        #expect(unknown?.kind.exitCode == 65 && unknown?.place == "'never seen'")
    }

    /// Four steps bring the student nearer, whatever the micro-batches.
    @Test func trainsTowardsTheTeacher() throws {
        let folder = try TemporaryFolder()
        let teacher = try Self.model(seed: 2)
        let losses = try [4, 1].map { size -> [Double] in
            let (scratch, stage) = try TrainingRunTests.base(runs: folder.file("\(size)"))
            let student = try LanguageModel(scratch, tokenizer: ChainWorld.tokenizer, seed: 1)
            let objective = DivergenceObjective(
                DistributionLoss(.forwardKL),
                from: try LocalTeacher(teacher, of: student)
            )
            let plan = try TrainingRunTests.plan(
                for: stage,
                CutBatches(lessons: TrainingRunTests.lessons(), size: size),
                objective: objective
            )
            let before = try Self.run(objective, student, Self.batch(of: 4)).loss.loss.value.item
            try TrainingRun(student, plan: plan, stage: stage, display: .silent).run()
            let after = try Self.run(objective, student, Self.batch(of: 4)).loss.loss.value.item
            #expect(after < 0.95 * before)
            return try JSONLines.read(stage.file("metrics.jsonl")) { try $0.number("loss") }
        }
        #expect(losses[0].count == 4)
        #expect(zip(losses[0], losses[1]).allSatisfy { abs($0 - $1) < 1e-4 })
    }
}
