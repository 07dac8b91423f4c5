import Datasets
import Files
import Foundation
import Models
import Tokenizers

extension RunLayout {
    /// Loads the teacher or the student that an experiment starts from.
    ///
    /// - Throws: `Failure.missingInput` saying how to get or make the model, and what loading
    ///   throws.
    public func loadModel(_ role: ModelRole, seed: UInt64, storage: WeightStorage) throws
        -> LanguageModel
    {
        try LanguageModel(existingModel(role, seed: seed), storage: storage)
    }

    /// Loads the student with what an arm's training changes: all weights, or fresh adapters.
    ///
    /// - Throws: As `loadModel`.
    public func loadStudent(toTrain settings: TrainingSettings, seed: UInt64) throws
        -> LanguageModel
    {
        let path = try existingModel(.student, seed: seed)
        guard let lora = settings.lora else { return try LanguageModel(path, storage: .float32) }
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

    /// Loads the student of an arm, as trained; the base student for the base arm.
    ///
    /// - Throws: `Failure.missingInput` saying how to train it, and what loading throws.
    public func loadTrainedModel(_ arm: Arm, seed: UInt64, storage: WeightStorage) throws
        -> LanguageModel
    {
        if arm.kind == .base { return try loadModel(.student, seed: seed, storage: storage) }
        let path = try trainedModelPath(arm, seed: seed)
        guard FileManager.default.fileExists(atPath: path) else {
            throw Failure(
                .missingInput,
                file: path,
                "arm '\(arm.name)' has not been trained with seed \(seed)",
                remedy: "Train it: rsd-train run \(experiment.file) --arm \(arm.name)"
            )
        }
        return try LanguageModel(path, storage: storage)
    }

    /// Makes sure that models trained from scratch exist, by running the program that trains them.
    ///
    /// Training belongs to `rsd-train` alone, so the other programs start the one beside them.
    /// - Throws: `Failure` with its exit code when that program fails.
    public func prepareBaseModels() throws {
        guard try baseStages().contains(where: { $0.state != .finished }) else { return }
        let folder = URL(filePath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        let process = Process()
        process.executableURL = folder.appending(path: "rsd-train")
        process.arguments = ["run", experiment.file, "--arm", "base"]
        do { try process.run() } catch {
            throw Failure(
                .missingInput,
                file: process.executableURL?.path(percentEncoded: false),
                "cannot be started, and the base models are not trained yet",
                remedy: "Run rsd-train run \(experiment.file) --arm base"
            )
        }
        process.waitUntilExit()
        switch process.terminationStatus {
        case 0: return
        case Failure.Kind.interrupted.exitCode: throw Interrupts.stopped()
        default: throw Failure(.failed, "the base models could not be trained (see above)")
        }
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
        var configuration = ModelConfiguration(scratch.shape)
        configuration.vocabularySize = tokenizer.vocabularySize
        configuration.endOfTextIDs = tokenizer.endOfTurnIDs.sorted().map(Int.init)
        self.init(
            name: "scratch, seed \(seed)",
            transformer: try Transformer(configuration, weights: weights),
            tokenizer: tokenizer
        )
    }
}

extension ModelConfiguration {
    /// The configuration of a shape.
    public init(_ shape: ModelShape) {
        let family: Family =
            switch shape.family {
            case .llama: .llama
            case .qwen2: .qwen2
            case .qwen3: .qwen3
            }
        self.init(
            family: family,
            vocabularySize: shape.vocabularySize,
            hiddenSize: shape.hiddenSize,
            intermediateSize: shape.intermediateSize,
            layerCount: shape.layerCount,
            queryHeadCount: shape.headCount,
            keyValueHeadCount: shape.keyValueHeadCount,
            headDimension: shape.headDimension,
            rmsNormEpsilon: shape.normEpsilon,
            ropeTheta: shape.ropeTheta,
            tiesWordEmbeddings: shape.tiesEmbeddings
        )
    }
}

extension PromptSettings {
    /// The prompt for a problem as tokens.
    ///
    /// - Throws: `Failure` when the vocabulary cannot spell it.
    public func encode(problem: String, with tokenizer: Tokenizer) throws -> [Int32] {
        try template.encode(problem: problem, with: tokenizer)
    }

    /// What the assistant says as tokens, closed by the end of its turn.
    ///
    /// - Throws: `Failure` when the vocabulary cannot spell it.
    public func encode(completion: String, with tokenizer: Tokenizer) throws -> [Int32] {
        try template.encode(completion: completion, with: tokenizer)
    }

    /// The token that ends the assistant's turn.
    ///
    /// - Throws: `Failure.configuration` when the vocabulary has no such special token.
    public func endOfTurnID(in tokenizer: Tokenizer) throws -> Int32 {
        try template.endOfTurnID(in: tokenizer)
    }
}
