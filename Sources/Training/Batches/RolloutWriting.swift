import Basics
import Decoding
import Experiments
import Models
import Records

extension OnPolicyBatches {
    /// Has the student, as it is now, write the rollouts of all steps up to the next refresh.
    func write(from first: Int, _ progress: @escaping (ProgressLine.Fields) -> Void) throws {
        let last = min(first + plan.settings.refreshEvery, stepCount)
        var known: [String: Question] = [:]
        var requests: [DecodingRequest] = []
        for step in first..<last {
            for (question, isRollout) in members(step: step) where isRollout {
                let id = question.problem.id
                if let rollout = found[step]?[id], rollout.promptDigest == question.promptDigest {
                    drawn[step, default: [:]][id] = rollout
                    continue
                }
                known[id] = question
                requests.append(
                    DecodingRequest(
                        id: id,
                        prompt: question.prompt,
                        teacherPrompt: question.teacherPrompt,
                        attempts: [step]
                    )
                )
            }
        }
        found = found.filter { $0.key >= last }
        let there = (first..<last).flatMap { step in drawn[step].map { Array($0.values) } ?? [] }
        try files.begin(with: there.sorted { ($0.attempt, $0.id) < ($1.attempt, $1.id) })
        guard !requests.isEmpty else { return }
        let wanted = requests.count
        let sampler = try plan.settings.storage == .q8_0 ? student.roundedToEightBits() : student
        let engine = try engine(sampler)
        let cancellation = CancellationFlag()
        let start = ContinuousClock.now
        let done = try engine.run(
            requests,
            cancellation: cancellation,
            progress: { done in
                let seconds = max((ContinuousClock.now - start) / .seconds(1), 1e-9)
                progress([
                    ("step \(first + 1):", "\(done.finishedSequences)/\(wanted) rollouts"),
                    ("tokens/s", ProgressLine.rate(Double(done.newTokens) / seconds)),
                ])
                if self.isInterrupted() { cancellation.cancel() }
            },
            deliver: { sequence in
                guard let question = known[sequence.id] else { return }
                let rollout = record.trace(
                    of: sequence,
                    problem: question.problem,
                    promptDigest: question.promptDigest
                )
                drawn[sequence.attempt, default: [:]][sequence.id] = rollout
                try files.add(rollout)
            }
        )
        if done.wasCancelled { throw Interrupts.stopped() }
    }

    /// What writes: the sampler alone, or with the teacher.
    private func engine(_ sampler: LanguageModel) throws -> DecodingEngine {
        let drawing = SamplingParameters(temperature: plan.settings.temperature)
        let options = DecodingEngine.Options(batchSize: plan.settings.batch)
        guard let topK = plan.settings.topK, let teacher else {
            return try DecodingEngine(
                model: sampler,
                rule: PlainSampling(
                    drawing,
                    vocabularySize: student.vocabularySize,
                    seed: plan.seed,
                    stream: DecodingStream.rollout
                ),
                stop: stop,
                options: options
            )
        }
        return try DecodingEngine(
            model: teacher.model,
            proposer: LocalProposer(sampler),
            rule: SpeculativeDistillation(
                .init(topK: topK, student: drawing, teacher: drawing),
                vocabularies: teacher.vocabularies,
                seed: plan.seed
            ),
            stop: stop,
            options: options
        )
    }
}
