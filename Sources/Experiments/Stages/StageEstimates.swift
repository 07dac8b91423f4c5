import Basics
import Foundation
import Models
import Records

extension RunLayout {
    /// The shape of a model and the bytes of its weights as stored: from the header of its files,
    /// or from the experiment's key `shape` while they are not there; nil where neither is known.
    private func size(_ role: ModelRole) throws -> ModelSizes.Size? {
        switch try source(role) {
        case .scratch(let model): (model.shape, 4 * model.shape.parameterCount)
        case .path(let model):
            try ModelSizes.size(of: model.path) ?? model.shape.map { ($0, nil) }
        }
    }

    /// The inputs that are not there and without which nothing is known of a stage's cost.
    ///
    /// - Parameters:
    ///   - roles: The models that the stage runs.
    ///   - sources: The problems that it works on.
    /// - Returns: Their paths, each once.
    func unknownInputs(_ roles: [ModelRole], _ sources: [ProblemSource?]) -> [String] {
        let models = roles.compactMap { role -> String? in
            guard case .path(let model)? = try? source(role), model.shape == nil else { return nil }
            return model.path
        }
        let files = sources.compactMap { $0?.file }.filter { $0.choice.limit == nil }.map(\.path)
        var seen: Set<String> = []
        return (models + files).filter {
            !FileManager.default.fileExists(atPath: $0) && seen.insert($0).inserted
        }
    }

    /// The models behind an arm's student and, where it takes part, its teacher, the teacher's first.
    func roles(of arm: Arm, withTeacher: Bool) -> [ModelRole] {
        [withTeacher ? try? teacherRole(of: arm) : nil, try? role(of: arm)].compactMap(\.self)
    }

    /// How many records a file has, up to its limit; nil when it is not there.
    private func count(_ source: ProblemSource?) throws -> Int? {
        guard let file = source?.file else { return source?.count }
        guard FileManager.default.fileExists(atPath: file.path) else { return file.choice.limit }
        return try file.problems().problems.count
    }

    func baseEstimate(_ role: ModelRole) throws -> Estimate? {
        guard case .scratch(let model) = try source(role) else { return nil }
        // Lessons have 30 to 90 tokens, by style.
        let length = 30 + 60 * model.reflectiveShare
        return .training(
            tokens: Double(model.steps * model.batch) * length,
            microBatchTokens: Int(Double(model.batch) * length),
            recompute: .none,
            moments: model.optimizer.moments,
            keptCheckpoints: 1,
            shape: model.shape
        )
    }

    func generationEstimate(_ arm: Arm) throws -> Estimate? {
        guard let problems = try count(experiment.problems),
            let student = try size(role(of: arm))
        else { return nil }
        var models = [student]
        if arm.kind.asksTeacher {
            guard let teacher = try size(teacherRole(of: arm)) else { return nil }
            models.append(teacher)
        } else if arm.kind == .hinted {
            // It reads two prompts, as two models would.
            models.append(student)
        }
        return .decoding(
            sequences: problems * arm.generation.tries,
            maxNewTokens: arm.generation.maxNewTokens,
            batch: arm.generation.batch,
            models: models,
            // An id, two probabilities and a letter, in decimal digits.
            bytesPerToken: 40
        )
    }

    func trainingEstimate(_ arm: Arm) throws -> Estimate? {
        guard let student = try size(role(of: arm)) else { return nil }
        let training = arm.training
        if arm.kind == .onPolicy { return try onPolicyEstimate(arm, student) }
        guard let tokens = try targetTokens(arm) else { return nil }
        // What an arm is matched with bounds what it trains on.
        let matched = try (arm.matching?.targetTokens == true ? arm.matching?.arms : nil)?
            .compactMap { try targetTokens(experiment.arm($0)) }
        let allTokens = min(tokens, matched?.min() ?? tokens) * Double(training.epochs)
        // A trace that is longer makes a micro-batch of its own.
        let rows = min(
            training.batch * training.maxLength,
            max(training.microBatchTokens, training.maxLength)
        )
        var estimate = Estimate.training(
            tokens: allTokens,
            microBatchTokens: rows,
            recompute: training.recompute,
            moments: training.optimizer.moments,
            keptCheckpoints: TrainingSettings.checkpointsWhileTraining(
                keeping: training.keepCheckpoints
            ),
            keptWeights: experiment.scoredSteps(of: arm)?.steps(before: try mostSteps(of: arm) ?? 0)
                .count ?? 0,
            shape: student.shape,
            adapting: training.lora.map {
                ($0, student.storedBytes ?? 2 * student.shape.parameterCount)
            }
        )
        if training.objective.asksTeacher {
            guard let teacher = try size(teacherRole(of: arm)) else { return nil }
            estimate.addTeacher(teacher, tokens: allTokens, rows: rows)
        }
        return estimate
    }

    /// Rollouts of half their limit, which the student writes, the teacher reads, and training takes.
    private func onPolicyEstimate(_ arm: Arm, _ student: ModelSizes.Size) throws -> Estimate? {
        guard let problems = try count(experiment.problems),
            let teacher = try size(teacherRole(of: arm))
        else {
            return nil
        }
        let (training, settings) = (arm.training, arm.onPolicy)
        let sequences =
            settings.stepCount(problems: problems, training) * min(training.batch, problems)
        let parameters = student.shape.parameterCount
        let isRounded = settings.storage == .q8_0
        let together = min(settings.batch, training.batch * settings.refreshEvery, problems)
        let writing = Estimate.decoding(
            sequences: sequences,
            maxNewTokens: settings.maxNewTokens,
            batch: together,
            models: [(student.shape, isRounded ? parameters / 32 * 34 : 4 * parameters)],
            // As for a try of the student alone.
            bytesPerToken: 30
        )
        let tokens = Double(sequences) * Double(min(settings.maxNewTokens, training.maxLength)) / 2
        let longest = min(settings.maxNewTokens, training.maxLength)
        let rows = max(longest, min(training.microBatchTokens, training.batch * longest))
        var estimate = Estimate.training(
            tokens: tokens,
            microBatchTokens: rows,
            recompute: training.recompute,
            moments: training.optimizer.moments,
            keptCheckpoints: TrainingSettings.checkpointsWhileTraining(
                keeping: training.keepCheckpoints
            ),
            shape: student.shape,
            adapting: training.lora.map { ($0, student.storedBytes ?? 2 * parameters) },
            rolloutBytes: MemoryEstimate.rolloutBytes(
                student.shape,
                isRounded: isRounded,
                batch: together,
                tokens: longest
            )
        )
        estimate.addTeacher(teacher, tokens: tokens, rows: rows)
        estimate.seconds += writing.seconds
        estimate.diskBytes += writing.diskBytes
        return estimate
    }

    /// What has to be there before it is known how long an arm trains.
    func unknownTraining(_ arm: Arm) -> [String] {
        let models = roles(of: arm, withTeacher: arm.training.objective.asksTeacher)
        guard let file = arm.traces?.file else {
            return unknownInputs(models, [experiment.problems])
        }
        let isKnown = file.choice.limit != nil || FileManager.default.fileExists(atPath: file.path)
        return unknownInputs(models, []) + (isKnown ? [] : [file.path])
    }

    /// Roughly how many traces an arm has: one a problem.
    private func mostTraces(_ arm: Arm) throws -> Int? {
        guard let file = arm.traces?.file else { return try count(experiment.problems) }
        let lines = try? JSONLines.read(file.path) { file.choice.accepts($0) }.count { $0 }
        return [file.choice.limit, lines.map { max(0, $0 - file.choice.skip) }]
            .compactMap(\.self).min()
    }

    /// Roughly how many optimizer steps an arm's training has.
    func mostSteps(of arm: Arm) throws -> Int? {
        let training = arm.training
        if arm.kind == .onPolicy {
            return try count(experiment.problems).map {
                arm.onPolicy.stepCount(problems: $0, training)
            }
        }
        let examples = try mostTraces(arm).map { training.multiTask == nil ? $0 : 2 * $0 }
        return examples.map { ($0 + training.batch - 1) / training.batch * training.epochs }
    }

    /// Roughly how many target tokens an epoch of an arm has: half the limit for each trace.
    private func targetTokens(_ arm: Arm) throws -> Double? {
        let length = min(arm.training.maxLength, arm.generation.maxNewTokens) / 2
        return try mostTraces(arm).map { Double($0) * Double(length) }
    }

    func scoringEstimate(_ arm: Arm) throws -> Estimate? {
        guard let student = try size(role(of: arm)) else { return nil }
        let settings = experiment.evaluation
        var sequences = 0
        for benchmark in experiment.benchmarks {
            guard let count = try count(benchmark.source) else { return nil }
            sequences += count * (benchmark.samples ?? settings.samples)
        }
        let count = student.shape.parameterCount
        // A trained student is in float32; rounded, it has blocks of 34 bytes.
        let storedBytes = settings.storage == .q8_0 ? count / 32 * 34 : 4 * count
        var estimate = Estimate.decoding(
            sequences: sequences,
            maxNewTokens: settings.maxNewTokens,
            batch: settings.batch,
            models: [(student.shape, storedBytes)],
            bytesPerToken: 8
        )
        // The blocks stay beside their copy in the layout of products.
        if settings.storage == .q8_0 { estimate.memoryBytes += storedBytes }
        return estimate
    }
}

extension Estimate {
    /// Adds a teacher that reads `tokens` tokens, `rows` at a time.
    fileprivate mutating func addTeacher(
        _ teacher: ModelSizes.Size,
        tokens: Double,
        rows: Int
    ) {
        let pass = Estimate.passSeconds(
            parameters: teacher.shape.parameterCount,
            storedBytes: teacher.storedBytes,
            rows: rows
        )
        seconds += pass * tokens / Double(rows)
        memoryBytes += MemoryEstimate.teacherBytes(
            teacher.shape,
            storedBytes: teacher.storedBytes ?? 2 * teacher.shape.parameterCount,
            rows: rows
        )
    }
}
