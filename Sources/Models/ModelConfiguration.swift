import Basics
import Checkpoints

/// Sizes and constants of a decoder-only transformer, as Hugging Face's config.json states them.
public struct ModelConfiguration: Sendable, Equatable {
    /// A published family of models.
    public typealias Family = ModelFamily

    /// The family, which decides about names, norms and the activation.
    public var family: ModelFamily
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
    /// Layers, counted from 0, whose queries and keys are not rotated; nil for those of the family.
    public var unrotatedLayers: Set<Int>?
    /// Tokens that a token sees, itself included; nil for all before it.
    public var slidingWindow: Int?
    /// Ids that end a turn or a text.
    public var endOfTextIDs: [Int]

    /// Whether each head's queries and keys are normalised before rotation.
    public var hasQueryKeyNorm: Bool { family.names.queryNorm != nil }

    /// A configuration of the given sizes.
    public init(
        family: ModelFamily,
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
        unrotatedLayers: Set<Int>? = nil,
        slidingWindow: Int? = nil,
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
        self.hasAttentionBias = hasAttentionBias ?? family.hasAttentionBias
        self.unrotatedLayers = unrotatedLayers
        self.slidingWindow = slidingWindow
        self.endOfTextIDs = endOfTextIDs
    }

    /// Whether the queries and keys of a layer, counted from 0, are rotated.
    public func isRotated(layer: Int) -> Bool {
        if let unrotatedLayers { return !unrotatedLayers.contains(layer) }
        guard let interval = family.unrotatedLayerInterval else { return true }
        return !(layer + 1).isMultiple(of: interval)
    }

    /// The longest sequence that the forward pass computes as published: attention is full, which it
    /// is within a sliding window; nil for any length.
    public var longestSequence: Int? { slidingWindow }

    /// Width of queries and keys together.
    var attentionWidth: Int { (queryHeadCount + keyValueHeadCount) * headDimension }

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
    /// - Throws: `Failure.badData` naming the key and its value: for a missing or impossible entry,
    ///   for entries that contradict each other, and for architectures and options that are not
    ///   implemented.
    public init(_ json: JSON) throws {
        let type = try json.string("model_type")
        guard let family = ModelFamily(rawValue: type) else {
            throw Failure(
                .badData,
                at: "'model_type'",
                "unknown architecture '\(type)'; expected one of "
                    + ModelFamily.allCases.map(\.rawValue).joined(separator: ", ")
            )
        }
        try ModelConfiguration.checkOptions(json, of: family)
        func size(_ key: String, _ limit: Int = Limit.width) throws -> Int {
            let value = try json.integer(key)
            try Limit.check(value, 1...limit, at: "'\(key)'")
            return value
        }
        let queryHeads = try size("num_attention_heads")
        let hidden = try size("hidden_size")
        let headDimension = try json.optional("head_dim") { try size($0) }
        let rotation = try Rotation(json, of: family)
        self.init(
            family: family,
            vocabularySize: try size("vocab_size", Limit.vocabulary),
            hiddenSize: hidden,
            intermediateSize: try size("intermediate_size"),
            layerCount: try size("num_hidden_layers", Limit.layers),
            queryHeadCount: queryHeads,
            keyValueHeadCount: try json.optional("num_key_value_heads") { try size($0) }
                ?? queryHeads,
            headDimension: headDimension ?? hidden / queryHeads,
            rmsNormEpsilon: try json.number("rms_norm_eps"),
            ropeTheta: rotation.theta,
            ropeScaling: rotation.scaling,
            maximumPositions: try json.optional("max_position_embeddings") {
                try size($0, Limit.vocabulary)
            } ?? 32_768,
            tiesWordEmbeddings: try json.flag("tie_word_embeddings") ?? family.tiesWordEmbeddings,
            hasAttentionBias: try json.flag("attention_bias") ?? family.hasAttentionBias,
            slidingWindow: try ModelConfiguration.slidingWindow(json, of: family),
            endOfTextIDs: json["eos_token_id"]?.array?.compactMap(\.integer)
                ?? json["eos_token_id"]?.integer.map { [$0] } ?? []
        )
        try readUnrotatedLayers(json)
        try validate()
        guard headDimension != nil || hidden.isMultiple(of: queryHeads) else {
            throw Failure(
                .badData,
                at: "'num_attention_heads'",
                "\(queryHeads) does not divide the hidden size \(hidden), and there is no 'head_dim'"
            )
        }
    }

    /// Refuses options that change the network into one that is not implemented.
    private static func checkOptions(_ json: JSON, of family: ModelFamily) throws {
        func refuse(_ key: String, _ found: String, _ expected: String) -> Failure {
            Failure(
                .badData,
                at: "'\(key)'",
                "found \(found), which is not implemented; expected \(expected)"
            )
        }
        let activation = json["hidden_act"]?.string ?? family.activation
        guard activation == family.activation else {
            throw refuse("hidden_act", "'\(activation)'", family.activation)
        }
        for key in ["use_sliding_window", "mlp_bias"] where try json.flag(key) == true {
            throw refuse(key, "true", "false")
        }
        if let types = json["layer_types"]?.array,
            let other = types.first(where: { $0.string != "full_attention" })
        {
            throw refuse("layer_types", other.compact, "full_attention in every layer")
        }
        if family.unrotatedLayerInterval == nil, let layers = json["no_rope_layers"]?.array,
            let index = layers.firstIndex(where: { $0.integer != 1 })
        {
            throw refuse("no_rope_layers", "layer \(index) without rotation", "1 in every layer")
        }
    }

    /// Reads which layers are not rotated: a list with 0 for those, or every so manieth.
    private mutating func readUnrotatedLayers(_ json: JSON) throws {
        guard family.unrotatedLayerInterval != nil else { return }
        let unrotated: Set<Int>
        if let marks = try json.optional("no_rope_layers", json.array) {
            guard marks.count >= layerCount,
                marks.allSatisfy({ $0.integer == 0 || $0.integer == 1 })
            else {
                throw Failure(
                    .badData,
                    at: "'no_rope_layers'",
                    "found \(marks.count) entries; expected a 0 or a 1 for each of "
                        + "\(layerCount) layers"
                )
            }
            unrotated = Set((0..<layerCount).filter { marks[$0].integer == 0 })
        } else {
            let key = "no_rope_layer_interval"
            guard let interval = try json.optional(key, json.integer) else { return }
            try Limit.check(interval, 1...Limit.layers, at: "'\(key)'")
            unrotated = Set((0..<layerCount).filter { ($0 + 1).isMultiple(of: interval) })
        }
        let usual = (0..<layerCount).filter { !isRotated(layer: $0) }
        if unrotated != Set(usual) { unrotatedLayers = unrotated }
    }

    /// The tokens that a token sees, where config.json or the family limits them.
    private static func slidingWindow(_ json: JSON, of family: ModelFamily) throws -> Int? {
        guard case .read(let usual) = family.slidingWindow else { return nil }
        guard let value = json["sliding_window"] else { return usual }
        return value.isNull ? nil : try json.integer("sliding_window")
    }

    /// Refuses sizes and constants that no network can have.
    ///
    /// Within these limits no product of sizes, nor of their bytes in any precision, overflows.
    /// - Throws: `Failure.badData` naming the key of config.json and the value.
    public func validate() throws {
        for (key, value, limit) in [
            ("vocab_size", vocabularySize, Limit.vocabulary),
            ("hidden_size", hiddenSize, Limit.width),
            ("intermediate_size", intermediateSize, Limit.width),
            ("num_hidden_layers", layerCount, Limit.layers),
            ("num_attention_heads", queryHeadCount, Limit.width),
            ("num_key_value_heads", keyValueHeadCount, Limit.width),
            ("max_position_embeddings", maximumPositions, Limit.vocabulary),
        ] { try Limit.check(value, 1...limit, at: "'\(key)'") }
        guard headDimension % 2 == 0, (1...Limit.width).contains(headDimension) else {
            throw Failure(
                .badData,
                at: "'head_dim'",
                "\(headDimension) is no even number from 2 to \(Limit.width); RoPE pairs elements"
            )
        }
        try Limit.check(
            queryHeadCount * headDimension,
            1...Limit.width,
            at: "'num_attention_heads' times 'head_dim'"
        )
        guard queryHeadCount % keyValueHeadCount == 0 else {
            throw Failure(
                .badData,
                at: "'num_key_value_heads'",
                "\(keyValueHeadCount) does not divide \(queryHeadCount) attention heads"
            )
        }
        if let slidingWindow {
            try Limit.check(slidingWindow, 1...Limit.vocabulary, at: "'sliding_window'")
        }
        guard rmsNormEpsilon > 0, rmsNormEpsilon <= 1 else {
            throw Failure(
                .badData,
                at: "'rms_norm_eps'",
                "found \(rmsNormEpsilon); expected a number above 0 and up to 1"
            )
        }
        guard ropeTheta >= 1, ropeTheta.isFinite else {
            throw Failure(
                .badData,
                at: "'rope_theta'",
                "found \(ropeTheta); expected a finite number from 1"
            )
        }
        try ropeScaling.validate()
        if case .yarn = ropeScaling, ropeTheta == 1 {
            throw Failure(.badData, at: "'rope_theta'", "found 1; YaRN needs a larger one")
        }
    }

    /// What sizes may be: well above every published model, and far from where products overflow.
    enum Limit {
        /// Of the residual stream, the feed-forward blocks, and all heads together.
        static let width = 1 << 20
        /// Decoder layers.
        static let layers = 1 << 12
        /// Tokens of the vocabulary, and positions of a sequence.
        static let vocabulary = 1 << 24

        static func check(_ value: Int, _ range: ClosedRange<Int>, at place: String) throws {
            guard !range.contains(value) else { return }
            throw Failure(
                .badData,
                at: place,
                "found \(value); expected \(range.lowerBound) to \(range.upperBound)"
            )
        }
    }

    /// The same as config.json, which transformers reads.
    public var json: JSON {
        var object: JSON = [
            "architectures": .array([.string(family.architecture)]),
            "model_type": .string(family.name),
            "vocab_size": .integer(vocabularySize),
            "hidden_size": .integer(hiddenSize),
            "intermediate_size": .integer(intermediateSize),
            "num_hidden_layers": .integer(layerCount),
            "num_attention_heads": .integer(queryHeadCount),
            "num_key_value_heads": .integer(keyValueHeadCount),
            "head_dim": .integer(headDimension),
            "hidden_act": .string(family.activation),
            "rms_norm_eps": .number(rmsNormEpsilon),
            "rope_theta": .number(ropeTheta),
            "rope_scaling": ropeScaling.json,
            "max_position_embeddings": .integer(maximumPositions),
            "tie_word_embeddings": .bool(tiesWordEmbeddings),
            "attention_bias": .bool(hasAttentionBias),
            "torch_dtype": "float32",
        ]
        if family.unrotatedLayerInterval != nil {
            let marks = (0..<layerCount).map { isRotated(layer: $0) ? 1 : 0 }
            object = object.adding("no_rope_layers", .integers(marks))
        }
        if case .read = family.slidingWindow {
            object = object.adding("sliding_window", slidingWindow.map { .integer($0) } ?? .null)
        }
        if !endOfTextIDs.isEmpty {
            object = object.adding("eos_token_id", .integers(endOfTextIDs))
        }
        return object
    }
}

extension JSON {
    /// A member that may be missing or null.
    func optional<T>(_ key: String, _ read: (String) throws -> T) throws -> T? {
        guard let value = self[key], !value.isNull else { return nil }
        return try read(key)
    }

    /// A truth value that may be missing or null.
    func flag(_ key: String) throws -> Bool? { try optional(key, bool) }

    fileprivate func adding(_ key: String, _ value: JSON) -> JSON {
        guard var members = object else { return self }
        members[key] = value
        return .object(members)
    }
}
