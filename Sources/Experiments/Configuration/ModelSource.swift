import Records
import Basics
import Models

/// Where a model comes from.
public enum ModelSource: Sendable, Equatable {
    /// A file or folder.
    case path(ModelPath)
    /// Trained from random weights on the chain world.
    case scratch(ScratchModel)

    init?(_ reader: ConfigurationReader) {
        defer { reader.finish() }
        switch (reader.has("path"), reader.map("scratch")) {
        case (true, nil): self = .path(ModelPath(reader))
        case (false, let scratch?): self = .scratch(ScratchModel(scratch))
        case (let both, _):
            reader.report.add(
                reader.place,
                both ? "has both path and scratch; expected one" : "expected path or scratch"
            )
            return nil
        }
    }
}

/// A model that exists already.
public struct ModelPath: Sendable, Equatable {
    /// A `.gguf` file, a Hugging Face folder or an `.h5` checkpoint; relative to the working
    /// directory.
    public var path: String
    /// Where a user gets it, in words.
    public var source: String?
    /// Its shape by name, for estimates before the file is there.
    public var shape: ModelConfiguration?

    init(_ reader: ConfigurationReader) {
        path = reader.filePath("path") ?? ""
        source = reader.optional("source", "text", \.filled)
        let names = ModelConfiguration.published.map(\.name).joined(separator: ", ")
        shape = reader.optional("shape", "one of \(names)") { value in
            value.string.flatMap(ModelConfiguration.named)
        }
    }
}

/// A model trained from random weights on lessons of the chain world.
public struct ScratchModel: Sendable, Equatable {
    /// Its sizes; the vocabulary is the chain world's.
    public var shape: ModelConfiguration
    /// Standard deviation of the initial weights.
    public var initializerRange: Double
    /// Share of the lessons in the reflective style, 0 to 1; the others are terse.
    public var reflectiveShare: Double
    /// Numbers of operations in the lessons.
    public var operations: [Int]
    /// Optimizer steps.
    public var steps: Int
    /// Lessons a step.
    public var batch: Int
    /// The optimizer and its schedule.
    public var optimizer: OptimizerSettings
    /// Whether all seeds use one model, trained with seed 0.
    public var isSharedAcrossSeeds: Bool

    init(_ reader: ConfigurationReader) {
        shape = ModelConfiguration(reader, vocabularySize: ChainWorld.words.count)
        initializerRange = reader.number("initializerRange", default: 0.02, in: 1e-6...10)
        isSharedAcrossSeeds = reader.bool("sharedAcrossSeeds", default: false)
        let training = reader.requiredMap("pretraining", "a map such as {steps: 450}")
        reflectiveShare = training.number("reflectiveShare", default: 0, in: 0...1)
        operations = training.integers(
            "operations",
            default: Array(ChainWorld.operationRange),
            in: ChainWorld.operationRange
        )
        steps = training.integer("steps", in: 1...100_000_000)
        batch = training.integer("batch", default: 64, in: 1...1_048_576)
        optimizer = OptimizerSettings(training, learningRate: 2e-3)
        training.finish()
        reader.finish()
    }

    /// The seed that the weights and the lessons are drawn from, in a run with the given seed.
    public func seed(run: UInt64) -> UInt64 { isSharedAcrossSeeds ? 0 : run }

    /// The lessons of a run.
    public func curriculum(run: UInt64) -> ChainWorld.Curriculum {
        ChainWorld.Curriculum(
            reflectiveShare: reflectiveShare,
            operations: operations,
            seed: seed(run: run)
        )
    }

    /// The members that the trained weights depend on, but for the seed.
    var json: JSON {
        [
            "shape": shape.shapeJSON, "initializerRange": .number(initializerRange),
            "reflectiveShare": .number(reflectiveShare), "operations": .integers(operations),
            "steps": .integer(steps), "batch": .integer(batch), "optimizer": optimizer.json,
            "chainWorld": .integer(ChainWorld.version),
        ]
    }
}
