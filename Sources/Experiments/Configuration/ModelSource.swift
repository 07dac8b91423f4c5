import Basics
import Models

/// Where a model comes from.
public enum ModelSource: Sendable, Equatable {
    /// A file or folder.
    case path(ModelPath)
    /// Trained from random weights on the chain world.
    case scratch(ScratchModel)

    init?(_ reader: ConfigurationReader) {
        switch (reader.has("path"), reader.map("scratch")) {
        case (true, nil): self = .path(ModelPath().reading(reader))
        case (false, let scratch?):
            self = .scratch(ScratchModel().reading(scratch))
            reader.finish()
        case (let both, _):
            reader.report.add(
                reader.place,
                both ? "has both path and scratch; expected one" : "expected path or scratch"
            )
            reader.finish()
            return nil
        }
    }
}

/// A model that exists already.
public struct ModelPath: Sendable, Equatable {
    /// A `.gguf` file, a Hugging Face folder or an `.h5` checkpoint; relative to the working
    /// directory.
    public var path = ""
    /// Where a user gets it, in words.
    public var source: String?
    /// Its shape by name, for estimates before the file is there.
    public var shape: ModelConfiguration? { shapeName.flatMap(ModelConfiguration.named) }
    private var shapeName: String?
}

extension ModelPath: ConfigurationSection {
    static let keys: [Key<Self>] = [
        Key(
            "path",
            \.path,
            .path(),
            influence: .indirect,
            shown: "required",
            "A GGUF file, a Hugging Face folder or one of our checkpoints."
        ),
        Key(
            "source",
            \.source,
            .optional(.filled()),
            influence: .nothing,
            "Where to get it, for the message that it is missing."
        ),
        Key(
            "shape",
            \.shapeName,
            .optional(.shapeName),
            influence: .nothing,
            "The published model whose sizes it has, for estimates before it is there."
        ),
    ]
}

extension ValueKind where Value == String {
    fileprivate static var shapeName: Self {
        let names = ModelConfiguration.published.map(\.name)
        return ValueKind(
            "one of \(names.joined(separator: ", "))",
            parse: { json in
                json.string.flatMap { ModelConfiguration.named($0) == nil ? nil : $0 }
            },
            json: { .string($0) }
        )
    }
}
