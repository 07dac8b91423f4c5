import Kernels
import TestSupport

/// Whole GGUF files that load, with the places of their numbers.
struct GGUFSeed {
    /// Key, value type and value of metadata.
    private enum Value {
        case integer(UInt32)
        case number(Float)
        case flag(Bool)
        case text(String)
        case texts([String])
        case integers([Int32])
    }

    private struct Tensor {
        var name: String
        /// The axis that varies fastest first.
        var dimensions: [Int]
        var format: BlockFormat
    }

    private static let hidden = 32
    private static let inner = 256

    /// The number of a format in GGUF files.
    private static let codes: [BlockFormat: UInt32] = [
        .f32: 0, .f16: 1, .q4_0: 2, .q4_1: 3, .q5_0: 6, .q5_1: 7, .q8_0: 8, .q4_K: 12, .q5_K: 13,
        .q6_K: 14, .bf16: 30,
    ]

    /// A file of each architecture, between them with every format of numbers.
    static var all: [MarkedBytes] {
        [
            file("llama", .q8_0, .q4_K, .f16), file("qwen2", .q4_0, .q5_K, .q5_1),
            file("qwen3", .bf16, .q6_K, .q5_0), file("llama", .q4_1, .f32, .f32),
        ]
    }

    private static func file(
        _ architecture: String,
        _ small: BlockFormat,
        _ wide: BlockFormat,
        _ other: BlockFormat
    ) -> MarkedBytes {
        var file = MarkedBytes()
        let values = metadata(architecture)
        let tensors = tensors(architecture, small, wide, other)
        file.append("GGUF".utf8)
        file.append(UInt32(3))
        file.append(UInt64(tensors.count))
        file.append(UInt64(values.count))
        for (key, value) in values {
            file.endPart()
            text(key, to: &file)
            add(value, to: &file)
        }
        var offset = 0
        for tensor in tensors {
            file.endPart()
            text(tensor.name, to: &file)
            file.append(UInt32(tensor.dimensions.count))
            for count in tensor.dimensions { file.append(UInt64(count)) }
            file.append(codes[tensor.format] ?? 0)
            file.append(UInt64(offset))
            offset += (bytes(tensor) + 31) / 32 * 32
        }
        file.append(Array(repeating: 0, count: -file.bytes.count & 31))
        var random = SplitMix(state: 5)
        for tensor in tensors {
            file.endPart()
            let count = bytes(tensor)
            let isNorm = tensor.format == .f32 && tensor.dimensions.count == 1
            let ones = [0, 0, 0x80, 0x3F] as [UInt8]
            file.append(
                isNorm
                    ? (0..<count).map { ones[$0 % 4] } : random.smallBytes(count)
            )
            file.append(Array(repeating: 0, count: -count & 31))
        }
        return file
    }

    private static func bytes(_ tensor: Tensor) -> Int {
        tensor.dimensions.reduce(1, *) / tensor.format.blockSize * tensor.format.bytesPerBlock
    }

    private static func metadata(_ architecture: String) -> [(String, Value)] {
        let count = TinyModel.spellings.count
        let types = Array(repeating: Int32(1), count: count) + [3, 3, 3]
        return [
            ("general.architecture", .text(architecture)), ("general.name", .text("tiny")),
            ("\(architecture).block_count", .integer(1)),
            ("\(architecture).context_length", .integer(64)),
            ("\(architecture).embedding_length", .integer(UInt32(hidden))),
            ("\(architecture).feed_forward_length", .integer(UInt32(inner))),
            ("\(architecture).attention.head_count", .integer(2)),
            ("\(architecture).attention.head_count_kv", .integer(1)),
            ("\(architecture).attention.key_length", .integer(16)),
            ("\(architecture).attention.layer_norm_rms_epsilon", .number(1e-6)),
            ("\(architecture).rope.freq_base", .number(10_000)),
            ("\(architecture).rope.scaling.type", .text("linear")),
            ("\(architecture).rope.scaling.factor", .number(2)),
            ("tokenizer.ggml.model", .text("gpt2")),
            ("tokenizer.ggml.pre", .text(architecture == "llama" ? "smollm" : "qwen2")),
            ("tokenizer.ggml.tokens", .texts(TinyModel.spellings + TinyModel.special)),
            ("tokenizer.ggml.token_type", .integers(types)),
            ("tokenizer.ggml.merges", .texts(TinyModel.merges.map { "\($0.0) \($0.1)" })),
            ("tokenizer.ggml.bos_token_id", .integer(UInt32(count))),
            ("tokenizer.ggml.eos_token_id", .integer(UInt32(count + 2))),
            ("tokenizer.ggml.add_bos_token", .flag(false)),
            ("tokenizer.chat_template", .text("{{ messages }}")),
        ]
    }

    private static func tensors(
        _ architecture: String,
        _ small: BlockFormat,
        _ wide: BlockFormat,
        _ other: BlockFormat
    ) -> [Tensor] {
        let vocabulary = TinyModel.spellings.count + 3
        func layer(_ name: String, _ dimensions: [Int], _ format: BlockFormat = .f32) -> Tensor {
            Tensor(name: "blk.0.\(name)", dimensions: dimensions, format: format)
        }
        var tensors = [
            Tensor(name: "token_embd.weight", dimensions: [hidden, vocabulary], format: small),
            layer("attn_norm.weight", [hidden]), layer("ffn_norm.weight", [hidden]),
            layer("attn_q.weight", [hidden, 32], small),
            layer("attn_k.weight", [hidden, 16], other),
            layer("attn_v.weight", [hidden, 16], other),
            layer("attn_output.weight", [32, hidden], other),
            layer("ffn_gate.weight", [hidden, inner], small),
            layer("ffn_up.weight", [hidden, inner], other),
            layer("ffn_down.weight", [inner, hidden], wide),
            Tensor(name: "output_norm.weight", dimensions: [hidden], format: .f32),
        ]
        if architecture == "qwen2" {
            tensors += [("q", 32), ("k", 16), ("v", 16)].map { layer("attn_\($0).bias", [$1]) }
        }
        if architecture == "qwen3" {
            tensors += ["q", "k"].map { layer("attn_\($0)_norm.weight", [16]) }
        }
        return tensors
    }

    private static func text(_ text: String, to file: inout MarkedBytes) {
        file.append(UInt64(text.utf8.count))
        file.append(text.utf8)
    }

    private static func add(_ value: Value, to file: inout MarkedBytes) {
        switch value {
        case .integer(let integer):
            file.append(UInt32(4))
            file.append(integer)
        case .number(let number):
            file.append(UInt32(6))
            file.append(number.bitPattern)
        case .flag(let flag):
            file.append(UInt32(7))
            file.append(UInt8(flag ? 1 : 0))
        case .text(let text):
            file.append(UInt32(8))
            self.text(text, to: &file)
        case .texts(let texts):
            file.append(UInt32(9))
            file.append(UInt32(8))
            file.append(UInt64(texts.count))
            for text in texts { self.text(text, to: &file) }
        case .integers(let integers):
            file.append(UInt32(9))
            file.append(UInt32(5))
            file.append(UInt64(integers.count))
            for integer in integers { file.append(integer) }
        }
    }
}
