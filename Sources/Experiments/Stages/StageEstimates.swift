import Datasets
import Files
import Foundation
import Models

extension RunLayout {
    /// The shape of a model and the size of its file, where known.
    private func size(_ role: ModelRole) -> (shape: ModelShape, storedBytes: Int?)? {
        switch try? source(role) {
        case .scratch(let model)?: return (model.shape, 4 * model.shape.parameterCount)
        case .path(let model)?:
            guard let shape = model.shape else { return nil }
            let attributes = try? FileManager.default.attributesOfItem(atPath: model.path)
            let isFile = attributes?[.type] as? FileAttributeType == .typeRegular
            return (shape, isFile ? (attributes?[.size] as? NSNumber)?.intValue : nil)
        case nil: return nil
        }
    }

    /// How many records a file has, up to its limit; nil when it is not there.
    private func count(_ source: ProblemSource?) throws -> Int? {
        guard case .file(let path, _, let limit)? = source else { return source?.count }
        guard FileManager.default.fileExists(atPath: path) else { return limit }
        return try ProblemSet.read(path, limit: limit).problems.count
    }

    func baseEstimate(_ role: ModelRole) throws -> Estimate? {
        guard case .scratch(let model) = try source(role) else { return nil }
        // Lessons have 30 to 90 tokens, by style.
        let length = 30 + 60 * model.reflectiveShare
        return .training(
            tokens: Double(model.steps * model.batch) * length,
            microBatchTokens: Int(Double(model.batch) * length),
            recompute: false,
            keptCheckpoints: 1,
            shape: model.shape
        )
    }

    func generationEstimate(_ arm: Arm) throws -> Estimate? {
        guard let problems = try count(experiment.problems), let student = size(.student) else {
            return nil
        }
        var models = [student]
        if arm.kind.policy != .student {
            guard let teacher = size(.teacher) else { return nil }
            models.append(teacher)
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
        guard let student = size(.student) else { return nil }
        var limit = try count(experiment.problems)
        if let traces = arm.traces { limit = traces.limit ?? limit }
        guard let count = limit else { return nil }
        let training = arm.training
        let length = min(training.maxLength, arm.generation.maxNewTokens) / 2
        return .training(
            tokens: Double(count * training.epochs) * Double(length),
            microBatchTokens: training.microBatchTokens,
            recompute: training.recompute,
            keptCheckpoints: training.keepCheckpoints,
            shape: student.shape,
            adapted: training.lora.map { lora in
                let count = lora.parameterCount(ModelConfiguration(student.shape))
                return (count, student.storedBytes ?? 2 * student.shape.parameterCount)
            }
        )
    }

    func scoringEstimate() throws -> Estimate? {
        guard let student = size(.student) else { return nil }
        var questions = 0
        for benchmark in experiment.benchmarks {
            guard let count = try count(benchmark.source) else { return nil }
            questions += count
        }
        let settings = experiment.evaluation
        return .decoding(
            sequences: questions * settings.samples,
            maxNewTokens: settings.maxNewTokens,
            batch: settings.batch,
            models: [(student.shape, 4 * student.shape.parameterCount)],
            bytesPerToken: 8
        )
    }
}
