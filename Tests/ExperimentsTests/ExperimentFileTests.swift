import Basics
import Checkpoints
import Decoding
import Foundation
import Records
import Testing

@testable import Experiments

@Suite struct ExperimentFileTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "experiments")
        .path(percentEncoded: false)

    static let files = ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
        .filter { $0.hasSuffix(".yaml") }.sorted()

    @Test func finishedFilesAreThere() {
        #expect(
            Self.files == [
                "arms.yaml", "micro-sweep.yaml", "micro.yaml", "objectives.yaml", "paper.yaml",
                "qwen-gsm8k-transfer.yaml", "qwen-gsm8k.yaml", "reasoner-teacher.yaml",
                "reasoner.yaml",
            ]
        )
    }

    @Test(arguments: files) func decodesAndPlans(_ file: String) throws {
        let experiment = try Experiment.read("\(Self.folder)/\(file)")
        #expect(experiment.name == file.dropLast(".yaml".count))
        let digests = InputDigests()
        for variant in try experiment.variants {
            let runs = ["RSD_RUNS": "/nowhere"]
            let layout = RunLayout(variant, environment: runs, digests: digests)
            let plan = try StageGraph(layout).plan()
            #expect(plan.steps.count >= variant.arms.count * variant.seeds.count)
            #expect(plan.steps.allSatisfy { $0.estimate != nil || !plan.missing.isEmpty })
            #expect(plan.missing.allSatisfy { $0.source != nil }, "every path says where to get it")
            #expect(plan.total.seconds > 0)
            #expect(!variant.merged.canonical.contains("/home"))
        }
    }

    @Test func microComparesWhatThePaperCompares() throws {
        let experiment = try Experiment.read("\(Self.folder)/micro.yaml")
        #expect(
            experiment.arms.map(\.kind) == [
                .base, .direct, .teacherFiltered, .rsd, .studentOnly, .onPolicy,
            ]
        )
        #expect(experiment.seeds.count >= 5)
        #expect(
            experiment.generation.rule.teacher == SamplingParameters(temperature: 0.7, topP: 0.95)
        )
        #expect(experiment.template.template.render(problem: "1+1?") == "1+1?")
        #expect(experiment.template.endOfTurn == ChainWorld.endOfTurn)
    }

    /// The rows of the comparison that the method calls for.
    @Test func armsHasOneOfEverySort() throws {
        let experiment = try Experiment.read("\(Self.folder)/arms.yaml")
        let arms = experiment.arms
        #expect(Set(arms.map(\.kind)) == Set(Arm.Kind.allCases))
        let gates = arms.filter { $0.kind == .rsd && $0.generation.rule.proposals == 1 }
            .map(\.generation.rule.acceptanceThreshold)
        #expect(Set(gates) == [0.001, 0.003, 0.01, 0.03, 0.1])
        #expect(arms.contains { $0.kind == .rsd && $0.generation.rule.proposals == 5 })
        let fitting = try experiment.arm("direct-fit").training
        let direct = try experiment.arm("direct").training
        #expect((fitting.overlong, direct.overlong) == (.drop, .truncate))
        #expect(fitting.maxLength == direct.maxLength)
        #expect(arms.contains { $0.selection.maskBelow > 0 })
        #expect(arms.contains { (8...32).contains($0.selection.filter.unsolvedPrefix) })
        #expect(
            arms.contains { $0.matching?.problems == true && $0.matching?.targetTokens == true }
        )
        #expect(arms.contains { $0.student != nil })
        #expect(
            arms.contains { arm in
                if case .experiment? = arm.traces?.origin { true } else { false }
            }
        )
    }

    @Test func paperFollowsItsRecipe() throws {
        let experiment = try Experiment.read("\(Self.folder)/paper.yaml")
        let training = experiment.training
        #expect(training.optimizer.learningRate == 1e-5)
        #expect(training.optimizer.weightDecay == 1e-4)
        #expect(training.optimizer.beta2 == 0.95)
        #expect((training.batch, training.epochs, training.maxLength) == (16, 5, 8192))
        let reference = try experiment.arm("rsd-reference-code").generation
        #expect(reference.rule.proposals == 5)
        #expect(reference.rule.acceptanceTopK == 20)
        #expect(reference.rule.teacher == SamplingParameters(topK: 20))
        #expect(try experiment.arm("direct").training.overlong == .truncate)
        #expect(try experiment.arm("direct-fit").traces == experiment.arm("direct").traces)
        #expect(try experiment.arm("rsd").selection.filter.requiresOneThinkEnd)
        #expect(experiment.template.isThinking)
        let prompt = experiment.template.template.render(problem: "x")
        #expect(prompt.hasPrefix("<|im_start|>system\nYou are Qwen"))
        #expect(prompt.contains("enclosed in \\boxed{}.<|im_end|>\n<|im_start|>user\nx<|im_end|>"))
        #expect(prompt.hasSuffix("<|im_end|>\n<|im_start|>assistant\n<think>\n"))
    }

    @Test func sweepVariesOneThingAtATime() throws {
        let experiment = try Experiment.read("\(Self.folder)/micro-sweep.yaml")
        let variants = try experiment.variants
        #expect(variants.count == 10)
        #expect(variants[0].variant?.name == "strength/steps=210")
        #expect(variants[3].variant?.name == "threshold/acceptanceThreshold=0.001")
        #expect(try variants[3].arm("rsd").generation.rule.acceptanceThreshold == 0.001)
        #expect(try variants[3].arm("direct").generation.rule.acceptanceThreshold == 0)
        guard case .scratch(let student) = variants[9].student else {
            Issue.record("the student is trained from scratch")
            return
        }
        #expect(student.reflectiveShare == 0.2)
        // The gate changes nothing for the other arms, so they are not run again.
        let digests = InputDigests()
        let layouts = [1, 3, 5].map {
            RunLayout(variants[$0], environment: [:], digests: digests)
        }
        let teacher = try layouts.map { layout in
            try layout.traces(layout.experiment.arm("teacher-filtered"), seed: 1)?.folder
        }
        #expect(Set(teacher).count == 1)
        let rsd = try layouts.map { layout in
            try layout.traces(layout.experiment.arm("rsd"), seed: 1)?.folder
        }
        #expect(Set(rsd).count == 3)
        #expect(
            layouts[1].resultsFolder.hasSuffix("micro-sweep/threshold/acceptanceThreshold=0.001")
        )
    }

    @Test func armsLayTheirKeysOverTheExperiments() throws {
        let experiment = try experiment(
            arms: """
                arms:
                  base: {kind: base}
                  strict: {kind: rsd, generation: {acceptanceThreshold: 0.1, teacher: {topK: 5}}}
                  fitted: {kind: teacher-filtered, training: {epochs: 7}, selection: {select: all}}
                  direct: {kind: direct}
                  own: {kind: student-only}
                """,
            more: """
                generation: {tries: 3, teacher: {temperature: 0.5}}
                selection: {maxFallbackRate: 0.25}
                training: {epochs: 2, batch: 4}
                """
        )
        let strict = try experiment.arm("strict").generation
        #expect(strict.rule.acceptanceThreshold == 0.1)
        #expect(strict.tries == 3)
        #expect(strict.rule.teacher == SamplingParameters(temperature: 0.5, topK: 5, topP: 0.95))
        let fitted = try experiment.arm("fitted")
        #expect((fitted.training.epochs, fitted.training.batch) == (7, 4))
        #expect(fitted.selection.filter.choice == .all)
        #expect(fitted.selection.filter.maxFallbackRate == 0.25)
        #expect(fitted.generation.rule.acceptanceThreshold == 0)
        let direct = try experiment.arm("direct").selection.filter
        #expect(!direct.requiresCorrect && direct.choice == .first)
        let own = try experiment.arm("own")
        #expect(own.generation.rule.acceptanceThreshold > 1)
        #expect(own.selection.filter.maxFallbackRate == nil)
        let text = failureText { _ = try experiment.arm("rsd") }
        #expect(
            text == "78: small.yaml: arms: has no arm 'rsd'; known arms: base, strict, fitted, "
                + "direct, own"
        )
    }
}

@Suite struct AdapterSettingsTests {
    @Test func armsChooseTheirAdapters() throws {
        let experiment = try experiment(
            arms: """
                arms:
                  all: {kind: rsd, training: {lora: null}}
                  small: {kind: rsd, training: {lora: {targets: [v_proj, q_proj]}}}
                  large: {kind: rsd, training: {lora: {rank: 32, alpha: 1.5}}}
                """,
            more: "training: {lora: {rank: 8}}"
        )
        let loras = try ["all", "small", "large"].map { try experiment.arm($0).training.lora }
        #expect(loras[0] == nil)
        #expect(loras[1] == LoRA(rank: 8, alpha: 16, targets: ["q_proj", "v_proj"]))
        #expect(loras[2] == LoRA(rank: 32, alpha: 1.5, targets: LoRA.maps))
        // Adapters are part of what a trained model depends on; their absence says nothing.
        #expect(try experiment.arm("all").training.json["lora"] == nil)
        #expect(try experiment.arm("small").training.json["lora"]?["rank"]?.integer == 8)
    }
}
