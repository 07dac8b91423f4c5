import Basics

extension GGUFFile {
    /// The configuration that Hugging Face would publish beside these weights.
    ///
    /// Keys and their meaning: transformers, `LlamaConfig` and its like.
    /// - Throws: `Failure.badData` for a missing or impossible value, naming its key.
    public func configuration() throws -> JSON {
        let hidden = try positive("embedding_length")
        let heads = try positive("attention.head_count")
        let headDimension =
            metadata["\(architecture).attention.key_length"] == nil
            ? hidden / heads : try positive("attention.key_length")
        let names = family.names
        let embedding = try info(names.embedding.weight)
        guard embedding.shape.count == 2, embedding.columns == hidden else {
            throw Failure(
                .badData,
                file: path,
                at: "tensor '\(names.embedding.gguf).weight'",
                "shape \(embedding.shape); expected [vocabulary, \(hidden)]"
            )
        }
        if let experts = try optional("\(architecture).expert_count", "an integer", \.integer),
            experts > 0
        {
            throw Failure(
                .badData,
                file: path,
                at: "metadata '\(architecture).expert_count'",
                "found a mixture of \(experts) experts; expected a dense model"
            )
        }
        try checkHeads(headDimension)
        var members: [(key: String, value: JSON)] = [
            ("architectures", [.string(family.architecture)]),
            ("model_type", .string(architecture)),
            ("hidden_size", .integer(hidden)),
            ("num_hidden_layers", .integer(try positive("block_count"))),
            ("num_attention_heads", .integer(heads)),
            ("num_key_value_heads", .integer(try keyValueHeads(default: heads))),
            ("head_dim", .integer(headDimension)),
            ("intermediate_size", .integer(try positive("feed_forward_length"))),
            ("vocab_size", .integer(embedding.rows)),
            ("max_position_embeddings", .integer(try positive("context_length"))),
            ("rms_norm_eps", try number("attention.layer_norm_rms_epsilon") ?? 1e-6),
            ("rope_theta", try number("rope.freq_base") ?? .number(family.ropeTheta)),
            ("rope_scaling", try ropeScaling()),
            ("hidden_act", .string(family.activation)),
            ("tie_word_embeddings", .bool(tensors[names.head.weight] == nil)),
        ]
        if case .read = family.slidingWindow {
            let window = try optional("\(architecture).attention.sliding_window", "an integer") {
                $0.integer
            }
            members.append(("sliding_window", window.map { .integer($0) } ?? .null))
        }
        if !family.hasAttentionBias {
            let biased = tensors["\(names.path(0, names.query)).bias"] != nil
            members.append(("attention_bias", .bool(biased)))
        }
        for (key, name) in [("bos", "bos"), ("eos", "eos"), ("pad", "padding")] {
            let id = try optional("tokenizer.ggml.\(name)_token_id", "an integer", \.integer)
            if let id { members.append(("\(key)_token_id", .integer(id))) }
        }
        return .object(JSONObject(members))
    }

    /// Refuses heads of which values are of another size, or of which only a part is rotated.
    private func checkHeads(_ headDimension: Int) throws {
        for (key, what) in [
            ("attention.value_length", "values of another size than keys are"),
            ("rope.dimension_count", "rotating part of each head is"),
        ] {
            let found = try optional("\(architecture).\(key)", "a whole number", \.integer)
            guard let found, found != headDimension else { continue }
            throw Failure(
                .badData,
                file: path,
                at: "metadata '\(architecture).\(key)'",
                "found \(found); \(what) not implemented, expected \(headDimension), "
                    + "the size of a head"
            )
        }
    }

    /// The place of a value of `configuration()` in the metadata.
    func metadataPlace(_ place: String) -> String {
        let keys = [
            "vocab_size": "the rows of \(family.names.embedding.gguf).weight",
            "hidden_size": "embedding_length",
            "intermediate_size": "feed_forward_length", "num_hidden_layers": "block_count",
            "num_attention_heads": "attention.head_count",
            "num_key_value_heads": "attention.head_count_kv", "head_dim": "attention.key_length",
            "max_position_embeddings": "context_length",
            "rms_norm_eps": "attention.layer_norm_rms_epsilon", "rope_theta": "rope.freq_base",
            "factor": "rope.scaling.factor", "beta_fast": "rope.scaling.yarn_beta_fast",
            "beta_slow": "rope.scaling.yarn_beta_slow",
            "original_max_position_embeddings": "rope.scaling.original_context_length",
        ]
        let key = place.split(separator: "'").compactMap { keys[String($0)] }.first
        guard let key else { return place }
        return key.contains(" ") ? key : "metadata '\(architecture).\(key)'"
    }

    private func keyValueHeads(default heads: Int) throws -> Int {
        metadata["\(architecture).attention.head_count_kv"] == nil
            ? heads : try positive("attention.head_count_kv")
    }

    private func number(_ key: String) throws -> JSON? {
        let value = try optional("\(architecture).\(key)", "a number") {
            $0.number == nil ? nil : $0
        }
        if case .float32(let number) = value { return .number(number) }
        return value?.number.map { .number($0) }
    }

    private func ropeScaling() throws -> JSON {
        if let factors = ropeFactors { return try llama3Scaling(factors) }
        let prefix = "\(architecture).rope.scaling"
        let type = try optional("\(prefix).type", "a string", \.text) ?? "none"
        let factor = try number("rope.scaling.factor")
        switch type {
        case "none": return .null
        case "linear": return ["rope_type": "linear", "factor": factor ?? 1.0]
        case "yarn":
            let original = try optional(
                "\(prefix).original_context_length",
                "an integer",
                \.integer
            )
            try checkYaRN(prefix)
            return [
                "rope_type": "yarn",
                "factor": factor ?? 1.0,
                "original_max_position_embeddings": original.map { .integer($0) } ?? .null,
                "beta_fast": try number("rope.scaling.yarn_beta_fast") ?? .null,
                "beta_slow": try number("rope.scaling.yarn_beta_slow") ?? .null,
            ]
        default:
            throw Failure(
                .badData,
                file: path,
                at: "metadata '\(prefix).type'",
                "found '\(type)'; expected none, linear or yarn"
            )
        }
    }

    /// Refuses parameters of YaRN that config.json has no words for.
    private func checkYaRN(_ prefix: String) throws {
        for (key, expected) in [
            ("attn_factor", 1.0), ("yarn_attn_factor", 1), ("yarn_ext_factor", 1),
            ("yarn_log_multiplier", 0),
        ] {
            let found = try optional("\(prefix).\(key)", "a number", \.number)
            guard let found, found != expected else { continue }
            throw Failure(
                .badData,
                file: path,
                at: "metadata '\(prefix).\(key)'",
                "found \(found), which is not implemented; expected \(expected)"
            )
        }
    }

    /// The parameters that give these factors, as Llama 3.1, 3.2 and 3.3 publish them.
    ///
    /// The file keeps only the factors. Source of the formula: transformers,
    /// `_compute_llama3_parameters`.
    private func llama3Scaling(_ factors: [Float]) throws -> JSON {
        let (low, high, original) = (1.0, 4.0, 8192.0)
        let theta =
            try optional("\(architecture).rope.freq_base", "a number", \.number)
            ?? family.ropeTheta
        let factor = Double(factors.max() ?? 1)
        let matches = factors.indices.allSatisfy { index in
            let wavelength =
                2 * Double.pi * Elementary.pow(theta, Double(index) / Double(factors.count))
            let smooth = (original / wavelength - low) / (high - low)
            let share = min(max(smooth, 0), 1)
            let expected = 1 / ((1 - share) / factor + share)
            return abs(Double(factors[index]) - expected) <= 1e-3 * expected
        }
        guard matches else {
            throw Failure(
                .badData,
                file: path,
                at: "tensor '\(GGUFFile.ropeFactorsName)'",
                "its \(factors.count) factors are not those of the llama3 scaling "
                    + "(low 1, high 4, original context 8192)"
            )
        }
        return [
            "rope_type": "llama3",
            "factor": .number(factor),
            "low_freq_factor": .number(low),
            "high_freq_factor": .number(high),
            "original_max_position_embeddings": .integer(Int(original)),
        ]
    }
}
