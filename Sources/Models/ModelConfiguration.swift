import Files

/// Sizes and constants of a decoder-only transformer, as Hugging Face's config.json states them.
public struct ModelConfiguration: Sendable, Equatable {
    /// A published family; the differences between them are the Boolean properties below.
    public enum Family: String, Sendable, CaseIterable {
        /// Llama 2 and 3, SmolLM2.
        case llama
        /// Qwen2 and Qwen2.5: biases on the query, key and value projections.
        case qwen2
        /// Qwen3: RMSNorm on each head's queries and keys, no biases.
        case qwen3

        /// The class name that transformers expects under "architectures".
        var architecture: String {
            switch self {
            case .llama: "LlamaForCausalLM"
            case .qwen2: "Qwen2ForCausalLM"
            case .qwen3: "Qwen3ForCausalLM"
            }
        }
    }

    /// The family.
    public var family: Family
    /// Rows of the embedding and of the head, including padding rows.
    public var vocabularySize: Int
    /// Width of the residual stream.
    public var hiddenSize: Int
    /// Width of the feed-forward blocks.
    public var intermediateSize: Int
    /// Number of decoder layers.
    public var layerCount: Int
    /// Number of query heads.
    public var queryHeadCount: Int
    /// Number of key-value heads, each shared by an equal number of query heads.
    public var keyValueHeadCount: Int
    /// Elements of one head; need not be hiddenSize / queryHeadCount.
    public var headDimension: Int
    /// Added to the mean square in every RMSNorm.
    public var rmsNormEpsilon: Double
    /// Base of the rotary frequencies.
    public var ropeTheta: Double
    /// How rotary frequencies are stretched for long contexts.
    public var ropeScaling: RoPEScaling
    /// Longest sequence the model was made for, in tokens.
    public var maximumPositions: Int
    /// Whether the head is the embedding.
    public var tiesWordEmbeddings: Bool
    /// Whether the query, key and value projections have biases.
    public var hasAttentionBias: Bool
    /// Ids that end a turn or a text.
    public var endOfTextIDs: [Int]

    /// Whether each head's queries and keys are normalised before rotation.
    public var hasQueryKeyNorm: Bool { family == .qwen3 }

    /// A configuration of the given sizes.
    public init(
        family: Family,
        vocabularySize: Int,
        hiddenSize: Int,
        intermediateSize: Int,
        layerCount: Int,
        queryHeadCount: Int,
        keyValueHeadCount: Int,
        headDimension: Int,
        rmsNormEpsilon: Double = 1e-6,
        ropeTheta: Double = 10_000,
        ropeScaling: RoPEScaling = .none,
        maximumPositions: Int = 32_768,
        tiesWordEmbeddings: Bool = true,
        hasAttentionBias: Bool? = nil,
        endOfTextIDs: [Int] = []
    ) {
        self.family = family
        self.vocabularySize = vocabularySize
        self.hiddenSize = hiddenSize
        self.intermediateSize = intermediateSize
        self.layerCount = layerCount
        self.queryHeadCount = queryHeadCount
        self.keyValueHeadCount = keyValueHeadCount
        self.headDimension = headDimension
        self.rmsNormEpsilon = rmsNormEpsilon
        self.ropeTheta = ropeTheta
        self.ropeScaling = ropeScaling
        self.maximumPositions = maximumPositions
        self.tiesWordEmbeddings = tiesWordEmbeddings
        self.hasAttentionBias = hasAttentionBias ?? (family == .qwen2)
        self.endOfTextIDs = endOfTextIDs
    }

    /// Numbers in the embedding, all layers, the last norm and an untied head.
    public var parameterCount: Int {
        let attention = (queryHeadCount + 2 * keyValueHeadCount) * headDimension
        var layer = hiddenSize * attention + queryHeadCount * headDimension * hiddenSize
        layer += 3 * hiddenSize * intermediateSize + 2 * hiddenSize
        if hasAttentionBias { layer += attention }
        if hasQueryKeyNorm { layer += 2 * headDimension }
        let embeddings = vocabularySize * hiddenSize * (tiesWordEmbeddings ? 1 : 2)
        return embeddings + layerCount * layer + hiddenSize
    }
}

extension ModelConfiguration {
    /// The numbers that one token keeps in the cache of keys and values.
    public var cachedValuesPerToken: Int { 2 * layerCount * keyValueHeadCount * headDimension }

    /// Reads config.json.
    ///
    /// - Throws: `Failure.badData` for a missing or impossible entry, and for architectures and
    ///   options that are not implemented.
    public init(_ json: JSON) throws {
        let type = try json.string("model_type")
        guard let family = Family(rawValue: type) else {
            throw Failure(
                .badData,
                at: "'model_type'",
                "unknown architecture '\(type)'; expected one of "
                    + Family.allCases.map(\.rawValue).joined(separator: ", ")
            )
        }
        func size(_ key: String) throws -> Int {
            let value = try json.integer(key)
            guard (1...1 << 24).contains(value) else {
                throw Failure(.badData, at: "'\(key)'", "found \(value); expected a positive size")
            }
            return value
        }
        func optional<T>(_ key: String, _ read: (String) throws -> T) throws -> T? {
            guard let value = json[key], !value.isNull else { return nil }
            return try read(key)
        }
        let queryHeads = try size("num_attention_heads")
        let hidden = try size("hidden_size")
        // transformers 5 moved the rotary entries into rope_parameters.
        let rope = json["rope_parameters"] ?? json["rope_scaling"] ?? .null
        self.init(
            family: family,
            vocabularySize: try size("vocab_size"),
            hiddenSize: hidden,
            intermediateSize: try size("intermediate_size"),
            layerCount: try size("num_hidden_layers"),
            queryHeadCount: queryHeads,
            keyValueHeadCount: try optional("num_key_value_heads", size) ?? queryHeads,
            headDimension: try optional("head_dim", size) ?? hidden / queryHeads,
            rmsNormEpsilon: try json.number("rms_norm_eps"),
            ropeTheta: try optional("rope_theta", json.number) ?? rope["rope_theta"]?.number
                ?? 10_000,
            ropeScaling: try RoPEScaling(rope),
            maximumPositions: try optional("max_position_embeddings", size) ?? 32_768,
            tiesWordEmbeddings: json["tie_word_embeddings"]?.bool ?? false,
            hasAttentionBias: json["attention_bias"]?.bool ?? (family == .qwen2),
            endOfTextIDs: json["eos_token_id"]?.array?.compactMap(\.integer)
                ?? json["eos_token_id"]?.integer.map { [$0] } ?? []
        )
        try validate(json)
    }

    private func validate(_ json: JSON) throws {
        guard queryHeadCount % keyValueHeadCount == 0 else {
            throw Failure(
                .badData,
                at: "'num_key_value_heads'",
                "\(keyValueHeadCount) does not divide \(queryHeadCount) attention heads"
            )
        }
        guard headDimension % 2 == 0, headDimension > 0 else {
            throw Failure(
                .badData,
                at: "'head_dim'",
                "\(headDimension) is no even number above 0; RoPE pairs elements"
            )
        }
        let activation = json["hidden_act"]?.string ?? "silu"
        guard activation == "silu" else {
            throw Failure(
                .badData,
                at: "'hidden_act'",
                "'\(activation)' is not implemented; expected silu"
            )
        }
        guard json["use_sliding_window"]?.bool != true, json["mlp_bias"]?.bool != true else {
            throw Failure(
                .badData,
                at: "'use_sliding_window' or 'mlp_bias'",
                "true is not implemented"
            )
        }
    }

    /// The same as config.json, which transformers reads.
    public var json: JSON {
        var object: JSON = [
            "architectures": .array([.string(family.architecture)]),
            "model_type": .string(family.rawValue),
            "vocab_size": .integer(vocabularySize),
            "hidden_size": .integer(hiddenSize),
            "intermediate_size": .integer(intermediateSize),
            "num_hidden_layers": .integer(layerCount),
            "num_attention_heads": .integer(queryHeadCount),
            "num_key_value_heads": .integer(keyValueHeadCount),
            "head_dim": .integer(headDimension),
            "hidden_act": "silu",
            "rms_norm_eps": .number(rmsNormEpsilon),
            "rope_theta": .number(ropeTheta),
            "rope_scaling": ropeScaling.json,
            "max_position_embeddings": .integer(maximumPositions),
            "tie_word_embeddings": .bool(tiesWordEmbeddings),
            "attention_bias": .bool(hasAttentionBias),
            "torch_dtype": "float32",
        ]
        if !endOfTextIDs.isEmpty {
            object = object.adding("eos_token_id", .integers(endOfTextIDs))
        }
        return object
    }
}

extension JSON {
    fileprivate func adding(_ key: String, _ value: JSON) -> JSON {
        guard var members = object else { return self }
        members[key] = value
        return .object(members)
    }
}
