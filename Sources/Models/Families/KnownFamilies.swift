import Checkpoints

extension ModelFamily: CaseIterable, RawRepresentable {
    /// The families that can be loaded.
    public static let allCases: [ModelFamily] = [.llama, .qwen2, .qwen3, .smollm3, .mistral]

    /// The known family of a name.
    public init?(rawValue: String) {
        guard let found = Self.allCases.first(where: { $0.name == rawValue }) else { return nil }
        self = found
    }

    /// The name, as files and experiments give it.
    public var rawValue: String { name }
}

extension ModelConfiguration {
    /// Published models by name, for estimates and benchmarks without their files.
    public static let published: [(name: String, configuration: ModelConfiguration)] =
        publishedLlamas + publishedQwen2 + publishedQwen3 + publishedSmolLM3 + publishedMistral

    /// The configuration of a published model; nil for an unknown name.
    public static func named(_ name: String) -> ModelConfiguration? {
        published.first { $0.name == name }?.configuration
    }
}

extension ModelFiles {
    /// Opens a model of a known family.
    ///
    /// - Parameters:
    ///   - path: A `.gguf` file, a checkpoint, or a Hugging Face folder.
    ///   - bases: Where the base of adapters may be now, besides where their checkpoint says.
    /// - Returns: The model, its tensors not read yet.
    /// - Throws: As `open(_:families:bases:)`.
    public static func open(_ path: String, bases: [String] = []) throws -> ModelFiles {
        try open(path, families: ModelFamily.allCases, bases: bases)
    }
}
