import Basics

/// Tensor names of GGUF files and the published names they stand for.
///
/// Source: llama.cpp, gguf-py/gguf/constants.py and tensor_mapping.py.
public enum GGUFNames {
    /// The architectures whose names are known.
    public static let architectures = ["llama", "qwen2", "qwen3"]

    private static let whole = [
        "token_embd": "model.embed_tokens",
        "output_norm": "model.norm",
        "output": "lm_head",
    ]

    private static let ofLayer = [
        "attn_norm": "input_layernorm",
        "attn_q": "self_attn.q_proj",
        "attn_k": "self_attn.k_proj",
        "attn_v": "self_attn.v_proj",
        "attn_output": "self_attn.o_proj",
        "attn_q_norm": "self_attn.q_norm",
        "attn_k_norm": "self_attn.k_norm",
        "ffn_norm": "post_attention_layernorm",
        "ffn_gate": "mlp.gate_proj",
        "ffn_up": "mlp.up_proj",
        "ffn_down": "mlp.down_proj",
    ]

    /// Factors by which each rotation frequency is divided; no weight, and in no published file.
    static let ropeFactors = "rope_freqs.weight"

    /// The published name; nil for a tensor these architectures do not have.
    public static func published(_ name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = parts.last, last == "weight" || last == "bias" else { return nil }
        if parts.count == 2, let stem = whole[String(parts[0])] { return "\(stem).\(last)" }
        guard parts.count == 4, parts[0] == "blk", let layer = Int(parts[1]), layer >= 0,
            String(layer) == parts[1], let stem = ofLayer[String(parts[2])]
        else { return nil }
        return "model.layers.\(layer).\(stem).\(last)"
    }
}
