import Basics
import Foundation
import Models
import Records
import Tokenizers

extension RunLayout {
    /// Loads a model that an experiment starts from.
    ///
    /// - Throws: `Failure.missingInput` saying how to get or make the model, and what loading
    ///   throws.
    public func loadModel(_ role: ModelRole, seed: UInt64, storage: WeightStorage) throws
        -> LanguageModel
    {
        try LanguageModel(existingModel(role, seed: seed), storage: storage)
    }

    /// Loads the student that an arm starts from, with what its training changes: all weights, or
    /// fresh adapters.
    ///
    /// - Throws: As `loadStudent(of:seed:storage:)`; `Failure.badData` for adapters on adapters.
    public func loadStudent(toTrain arm: Arm, seed: UInt64) throws -> LanguageModel {
        let path = try existingStudent(of: arm, seed: seed)
        guard let lora = arm.training.lora else {
            let bases = try arm.student.map { try self.bases(of: experiment.arm($0), seed: seed) }
            return try LanguageModel(path, storage: .float32, bases: bases ?? [])
        }
        return try LanguageModel(adapting: path, lora, seed: seed)
    }

    private func existingModel(_ role: ModelRole, seed: UInt64) throws -> String {
        let path = try modelPath(role, seed: seed)
        guard FileManager.default.fileExists(atPath: path) else {
            let remedy =
                switch try source(role) {
                case .path(let model): model.source.map { "Get it from: \($0)" }
                case .scratch: "Train it: rsd-train run \(experiment.file) --arm base"
                }
            throw Failure(
                .missingInput,
                file: path,
                "the \(role.rawValue) is missing",
                remedy: remedy
            )
        }
        return path
    }

    /// Loads the student that an arm starts from: the experiment's, or that of an earlier arm.
    ///
    /// - Throws: As `loadModel` and `loadTrainedModel`.
    public func loadStudent(of arm: Arm, seed: UInt64, storage: WeightStorage) throws
        -> LanguageModel
    {
        let bases = try arm.student.map { try self.bases(of: experiment.arm($0), seed: seed) }
        return try LanguageModel(
            existingStudent(of: arm, seed: seed),
            storage: storage,
            bases: bases ?? []
        )
    }

    /// Loads the teacher of an arm: the experiment's, or what an earlier arm has trained.
    ///
    /// - Throws: As `loadModel` and `loadTrainedModel`.
    public func loadTeacher(of arm: Arm, seed: UInt64, storage: WeightStorage) throws
        -> LanguageModel
    {
        guard let name = arm.teacher else {
            return try loadModel(.teacher, seed: seed, storage: storage)
        }
        return try loadTrainedModel(experiment.arm(name), seed: seed, storage: storage)
    }

    /// Where the base of an arm's adapters is now, wherever it was when they were trained.
    private func bases(of arm: Arm, seed: UInt64) throws -> [String] {
        guard arm.kind != .base, arm.training.lora != nil else { return [] }
        return [try studentPath(arm, seed: seed)]
    }

    private func existingStudent(of arm: Arm, seed: UInt64) throws -> String {
        guard let name = arm.student else { return try existingModel(arm.model, seed: seed) }
        return try existingTrainedModel(experiment.arm(name), seed: seed)
    }

    /// Loads the student of an arm, as trained, or as it was after some step; the base student for the
    /// base arm.
    ///
    /// - Throws: `Failure.missingInput` saying how to train it, and what loading throws.
    public func loadTrainedModel(
        _ arm: Arm,
        seed: UInt64,
        step: Int? = nil,
        storage: WeightStorage
    ) throws -> LanguageModel {
        try LanguageModel(
            existingTrainedModel(arm, seed: seed, step: step),
            storage: storage,
            bases: bases(of: arm, seed: seed)
        )
    }

    private func existingTrainedModel(_ arm: Arm, seed: UInt64, step: Int? = nil) throws -> String {
        if arm.kind == .base { return try existingModel(arm.model, seed: seed) }
        let path = try trainedModelPath(arm, seed: seed, step: step)
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(
                .missingInput,
                file: path,
                step.map {
                    "the weights of arm '\(arm.name)' after step \($0) with seed \(seed) are not there"
                } ?? "arm '\(arm.name)' has not been trained with seed \(seed)",
                remedy: "Train it: rsd-train run \(experiment.file) --arm \(arm.name)"
            )
        }
        return path
    }
}

extension ChainWorld {
    /// The tokenizer of the miniature world: one token a word.
    public static var tokenizer: Tokenizer {
        get throws {
            try Tokenizer(words: words.filter { $0 != endOfTurn }, endOfTurn: endOfTurn)
        }
    }
}

extension LanguageModel {
    /// A model of the miniature world with fresh weights.
    public convenience init(_ scratch: ScratchModel, tokenizer: Tokenizer, seed: UInt64) throws {
        let weights = RandomWeights<Float>(
            seed: seed,
            layerCount: scratch.shape.layerCount,
            standardDeviation: scratch.initializerRange
        )
        var configuration = scratch.shape
        configuration.vocabularySize = tokenizer.vocabularySize
        configuration.endOfTextIDs = tokenizer.endOfTurnIDs.sorted().map(Int.init)
        self.init(
            name: "scratch, seed \(seed)",
            transformer: try Transformer(configuration, weights: weights),
            tokenizer: tokenizer
        )
    }
}

extension LanguageModel {
    /// Warns where sequences may outgrow the context that the model was made for, and refuses what
    /// would leave its sliding window.
    ///
    /// Nothing fails beyond the context: positions go on, but the model has seen none so far from
    /// the start.
    /// - Parameters:
    ///   - tokens: The longest that a sequence may become.
    ///   - remedy: What shortens sequences.
    /// - Throws: `Failure.configuration` for sequences beyond the sliding window.
    public func checkContext(_ tokens: Int, _ remedy: String) throws {
        try checkLength(tokens, remedy: remedy.prefix(1).uppercased() + remedy.dropFirst() + ".")
        let limit = configuration.maximumPositions
        guard tokens > limit else { return }
        StandardError.write(
            line: "warning: \(name): made for contexts of \(limit) tokens, and there may be "
                + "\(tokens); \(remedy)"
        )
    }
}
