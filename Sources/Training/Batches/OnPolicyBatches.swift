import Basics
import Decoding
import Experiments
import Foundation
import Grading
import Kernels
import Models
import Records

/// Rollouts: what the student in training writes at the problems of each step.
///
/// Every epoch has the problems in another order. A rollout depends on the student's weights, the seed,
/// the problem and the step alone, not on its neighbours or on what was interrupted. It is trained as
/// far as it goes, whether or not it is right or finished (arXiv:2306.13649).
public final class OnPolicyBatches: BatchSource {
    /// What all rollouts of a run have in common.
    public struct Plan {
        /// How rollouts are written.
        public var settings: OnPolicySettings
        /// How many problems a step has, and how long sequences may be.
        public var training: TrainingSettings
        /// The seed of the run.
        public var seed: UInt64
        /// How problems are put.
        public var template: PromptSettings
        /// How answers are stated, for the share that is right.
        public var answerStyle: AnswerStyle
        /// Where the rollouts are recorded.
        public var folder: String

        /// Describes a run.
        public init(
            settings: OnPolicySettings,
            training: TrainingSettings,
            seed: UInt64,
            template: PromptSettings,
            answerStyle: AnswerStyle,
            folder: String
        ) {
            self.settings = settings
            self.training = training
            self.seed = seed
            self.template = template
            self.answerStyle = answerStyle
            self.folder = folder
        }
    }

    /// A problem as the models read it.
    struct Question {
        let problem: Problem
        let prompt: [Int32]
        let promptDigest: String
        /// What the teacher reads in place of the prompt; nil for the same tokens.
        let teacherPrompt: [Int32]?
    }

    let plan: Plan
    let student: LanguageModel
    let teacher: LocalTeacher?
    private let questions: [Question]
    /// What the problems without rollout are trained on, by problem.
    private let traces: [String: TrainingExample]
    private let order: RandomStream
    private let shares: RandomStream
    let record: TraceRecord
    private let endOfTurn: Int32
    let files: RolloutFiles
    private let warn: (String) -> Void
    /// Asked after every step of decoding; a yes ends it.
    var isInterrupted: () -> Bool = { Interrupts.isRequested }

    /// Rollouts of steps to come, step by step and problem by problem.
    var drawn: [Int: [String: Trace]] = [:]
    /// Rollouts that an interrupted run has left, taken instead of writing them again.
    var found: [Int: [String: Trace]] = [:]
    private var isOpen = false
    /// The step that was asked for last; -1 before the first.
    private var lastStep = -1

    /// Prepares to write at problems.
    ///
    /// - Parameters:
    ///   - plan: What all rollouts have in common.
    ///   - problems: The problems; those whose prompts leave no room are passed over.
    ///   - student: The model in training; its weights are read when rollouts are written.
    ///   - teacher: Whose prompts the examples carry, where it has others; it writes too where the
    ///     settings say so.
    ///   - traces: What problems without rollout are trained on.
    ///   - warn: Hears what is left out or lost.
    /// - Throws: `Failure` when the vocabulary cannot spell a problem; `Failure.configuration` when no
    ///   prompt fits, or the template's end of turn is no token.
    public init(
        _ plan: Plan,
        problems: [Problem],
        student: LanguageModel,
        teacher: LocalTeacher?,
        traces: [TrainingExample] = [],
        warn: @escaping (String) -> Void = { _ in }
    ) throws {
        self.plan = plan
        self.student = student
        self.teacher = teacher
        self.warn = warn
        self.traces = Dictionary(traces.map { ($0.id, $0) }) { first, _ in first }
        order = RandomStream(seed: plan.seed, name: "shuffle")
        shares = RandomStream(seed: plan.seed, name: "on-policy")
        endOfTurn = try plan.template.endOfTurnID(in: student.tokenizer)
        files = RolloutFiles(folder: plan.folder)
        record = TraceRecord(
            seed: plan.seed,
            policy: plan.settings.topK == nil ? .student : .skd,
            streams: plan.settings.topK == nil
                ? [DecodingStream.rollout] : [DecodingStream.teacher, DecodingStream.student],
            // As for all tries of a student alone, and of skd.
            acceptanceThreshold: plan.settings.topK == nil ? 2 : 0,
            tokenizer: student.tokenizer,
            style: plan.answerStyle
        )
        let all = try problems.map { problem in
            do {
                let prompt = try plan.template.encode(
                    problem: problem.problem,
                    after: problem.context,
                    with: student.tokenizer
                )
                try student.check(prompt)
                return Question(
                    problem: problem,
                    prompt: prompt,
                    promptDigest: TraceRecord.promptDigest(prompt),
                    teacherPrompt: try teacher?.prompt(
                        for: problem.problem,
                        after: problem.context,
                        plan.template
                    )
                )
            } catch let failure as Failure { throw failure.at("problem \(problem.id)") }
        }
        let limit = plan.training.maxLength
        questions = all.filter { $0.prompt.count < limit }
        guard !questions.isEmpty else {
            throw Failure(
                .configuration,
                at: "training.maxLength",
                "found \(limit); the shortest prompt has "
                    + "\(all.map(\.prompt.count).min() ?? 0) tokens, which leaves no room for a rollout"
            )
        }
        if questions.count < all.count {
            warn(
                "warning: \(all.count - questions.count) of \(all.count) problems are left out: "
                    + "their prompts alone fill training.maxLength, \(limit) tokens"
            )
        }
    }

    /// Steps in which each problem comes once.
    public var stepsPerEpoch: Int {
        (questions.count + plan.training.batch - 1) / plan.training.batch
    }

    /// Steps of the whole training.
    public var stepCount: Int {
        plan.settings.stepCount(problems: questions.count, plan.training)
    }

    /// The longest that a prompt and its rollout may become, in the student's tokens.
    public var longestExample: Int {
        stop.longestSequence(afterPrompt: questions.map(\.prompt.count).max() ?? 0)
    }

    var stop: StopRules {
        StopRules(
            endOfTurn: [endOfTurn],
            endOfText: student.tokenizer.endOfTurnIDs,
            maxNewTokens: plan.settings.maxNewTokens,
            maxTotalTokens: plan.training.maxLength
        )
    }

    /// The problems of a step, and whether each gets a rollout.
    func members(step: Int) -> [(question: Question, isRollout: Bool)] {
        let start = step % stepsPerEpoch * plan.training.batch
        let epoch = order.permutation(count: questions.count, item: UInt64(step / stepsPerEpoch))
        return epoch[start..<min(start + plan.training.batch, questions.count)].map { index in
            let question = questions[index]
            let share = shares.uniform(
                item: RandomStream.itemKey(question.problem.id),
                attempt: step,
                position: 0,
                draw: 0
            )
            let hasTrace = traces[question.problem.id] != nil
            return (question, !hasTrace || share < plan.settings.share)
        }
    }

    /// Rollouts that wait for their step while the student changes, where there are any.
    public var state: JSON {
        guard (lastStep + 1) % plan.settings.refreshEvery != 0 else { return .null }
        let waiting = drawn.filter { $0.key > lastStep }.sorted { $0.key < $1.key }
        return [
            "rollouts": .array(
                waiting.flatMap { step, rollouts in
                    members(step: step).compactMap { rollouts[$0.question.problem.id]?.json }
                }
            )
        ]
    }

    /// Takes such rollouts over.
    public func restore(_ state: JSON) throws {
        guard !state.isNull else { return }
        for json in try state.array("rollouts") {
            let rollout = try Trace(json: json)
            drawn[rollout.attempt, default: [:]][rollout.id] = rollout
        }
    }

    /// The step's examples, without a word on the way.
    public func batch(step index: Int) throws -> StepBatch { try batch(step: index) { _ in } }

    /// The rollouts of a step, which the student writes now unless it has done so before, and the
    /// selected traces of the problems that get none.
    ///
    /// - Throws: `Failure.interrupted` when asked to stop; what decoding and writing throw.
    public func batch(step index: Int, progress: @escaping (ProgressLine.Fields) -> Void) throws
        -> StepBatch
    {
        if !isOpen {
            for rollout in try files.open(at: index, warn: warn) {
                found[rollout.attempt, default: [:]][rollout.id] = rollout
            }
            isOpen = true
        }
        let start = ContinuousClock.now
        if index % plan.settings.refreshEvery == 0 { try write(from: index, progress) }
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let members = members(step: index)
        let rollouts = drawn[index] ?? [:]
        let examples = try members.map { question, isRollout in
            guard isRollout else {
                guard let trace = traces[question.problem.id] else {
                    preconditionFailure("a problem without rollout has a trace")
                }
                return trace
            }
            guard let rollout = rollouts[question.problem.id] else {
                throw Failure(
                    .badData,
                    at: "step \(index)",
                    "has no rollout of problem \(question.problem.id)",
                    remedy: "Delete the checkpoints that are newer than a multiple of refreshEvery."
                )
            }
            return example(rollout, of: question)
        }
        let written = members.compactMap { $0.isRollout ? rollouts[$0.question.problem.id] : nil }
        try files.finish(written, isLast: index + 1 == stepCount)
        drawn[index] = nil
        lastStep = index
        return batch(examples, written, seconds: seconds)
    }

    private func example(_ rollout: Trace, of question: Question) -> TrainingExample {
        var example = TrainingExample(
            id: rollout.id,
            prompt: question.prompt,
            completion: rollout.ids,
            // What was cut off does not end here.
            isComplete: false,
            endOfTurn: endOfTurn
        )
        // Of what the teacher wrote the sampler was not asked for a token.
        example.drawnProbabilities = zip(rollout.source, rollout.studentProbability).map {
            $0 == .student ? $1 : .nan
        }
        example.teacherPrompt = question.teacherPrompt
        return example
    }

    /// Cuts a step into micro-batches, longest examples first, and says what its rollouts are like.
    private func batch(_ examples: [TrainingExample], _ rollouts: [Trace], seconds: Double)
        -> StepBatch
    {
        let lengths = examples.map(\.ids.count)
        let sorted = examples.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }
        let groups = BatchSchedule.microBatches(
            sorted,
            lengths: lengths,
            tokens: plan.training.microBatchTokens
        )
        let count = Double(rollouts.count)
        let tokens = Double(rollouts.reduce(0) { $0 + $1.ids.count })
        func share(_ isCounted: (Trace) -> Bool) -> Double {
            count > 0 ? Double(rollouts.count(where: isCounted)) / count : .nan
        }
        let (finished, right) = (share { $0.stop != .length }, share { $0.verdict == .correct })
        let targets = examples.reduce(0) { $0 + $1.targetCount }
        var batch = StepBatch(
            groups.map { $0.map { examples[$0] } },
            metrics: [
                ("rollouts", count), ("rollout_tokens", count > 0 ? tokens / count : .nan),
                ("finished_share", finished), ("right_share", right), ("sampled_tokens", tokens),
                ("sampling_seconds", seconds), ("target_tokens", Double(targets)),
            ]
        )
        if count > 0 {
            batch.fields = [
                ("rollouts", "\(Int((tokens / count).rounded())) tokens"),
                ("finished", "\(Int((100 * finished).rounded())) %"),
                ("right", "\(Int((100 * right).rounded())) %"),
            ]
        }
        return batch
    }
}
