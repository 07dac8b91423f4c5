import Basics

@testable import Checkpoints

/// Makes GGUF files, right or wrong, byte by byte.
struct GGUFBuilder {
    struct Tensor {
        var name: [UInt8]
        var dimensions: [UInt64]
        var axes: UInt32?
        var type: UInt32 = 0
        var offset: UInt64
    }

    var magic = Array("GGUF".utf8)
    var version = little(UInt32(3))
    var tensorCount: UInt64?
    var valueCount: UInt64?
    var values: [[UInt8]] = []
    var tensors: [Tensor] = []
    var data: [UInt8] = Array(repeating: 0, count: 128)

    /// A file that is read without complaint: architecture llama, two tensors of 32 and 16 bytes.
    static func valid() -> GGUFBuilder {
        var builder = GGUFBuilder()
        builder.add("general.architecture", string("llama"))
        for (key, value) in [
            ("block_count", 1), ("context_length", 64), ("embedding_length", 4),
            ("feed_forward_length", 8), ("attention.head_count", 2),
        ] {
            builder.add("llama.\(key)", integer(UInt32(value)))
        }
        builder.tensors = [
            Tensor(name: Array("token_embd.weight".utf8), dimensions: [4, 2], offset: 0),
            Tensor(name: Array("output_norm.weight".utf8), dimensions: [4], offset: 32),
        ]
        return builder
    }

    static func text(_ bytes: [UInt8]) -> [UInt8] { little(UInt64(bytes.count)) + bytes }
    static func string(_ text: String) -> [UInt8] {
        little(UInt32(8)) + self.text(Array(text.utf8))
    }
    static func integer(_ value: UInt32) -> [UInt8] { little(UInt32(4)) + little(value) }
    static func array(_ type: UInt32, _ count: UInt64, _ elements: [UInt8]) -> [UInt8] {
        little(UInt32(9)) + little(type) + little(count) + elements
    }

    mutating func add(_ key: String, _ value: [UInt8]) {
        values.append(GGUFBuilder.text(Array(key.utf8)) + value)
    }

    var bytes: [UInt8] {
        var out = magic + version + little(tensorCount ?? UInt64(tensors.count))
        out += little(valueCount ?? UInt64(values.count)) + values.flatMap(\.self)
        for tensor in tensors {
            out += GGUFBuilder.text(tensor.name)
            out += little(tensor.axes ?? UInt32(tensor.dimensions.count))
            out += tensor.dimensions.flatMap { little($0) } + little(tensor.type)
            out += little(tensor.offset)
        }
        out += Array(repeating: 0, count: -out.count & 31)
        return out + data
    }

    /// The bytes of the valid file after a change.
    static func changed(_ change: (inout GGUFBuilder) -> Void) -> [UInt8] {
        var builder = valid()
        change(&builder)
        return builder.bytes
    }
}

/// Files that the GGUF reader must refuse.
let ggufAttacks: [Attack] = [
    Attack("wrong magic", "expected 'GGUF'") {
        GGUFBuilder.changed { $0.magic = Array("GGML".utf8) }
    },
    Attack("empty file", "the magic number takes 4 bytes; only 0 remain") { [] },
    Attack("version 1", "version 1; expected") {
        GGUFBuilder.changed { $0.version = little(UInt32(1)) }
    },
    Attack("big-endian", "written for big-endian machines") {
        GGUFBuilder.changed { $0.version = [0, 0, 0, 3] }
    },
    Attack("huge tensor count", "claims 1099511627776 tensors; only") {
        GGUFBuilder.changed { $0.tensorCount = 1 << 40 }
    },
    Attack("tensor count that wraps", "claims 18446744073709551615 tensors") {
        GGUFBuilder.changed { $0.tensorCount = .max }
    },
    Attack("huge metadata count", "metadata values; only") {
        GGUFBuilder.changed { $0.valueCount = 1 << 60 }
    },
    Attack("key length that wraps", "the key takes 18446744073709551615 bytes") {
        GGUFBuilder.changed { $0.values[0] = little(UInt64.max) }
    },
    Attack("string length 2^63", "the value takes 9223372036854775808 bytes") {
        GGUFBuilder.changed {
            $0.add("a", little(UInt32(8)) + little(UInt64(1) << 63))
        }
    },
    Attack("array count whose product wraps", "claims 2305843009213693953 elements of uint64") {
        GGUFBuilder.changed { $0.add("a", GGUFBuilder.array(10, (1 << 61) + 1, [])) }
    },
    Attack("huge string array", "claims 4294967296 elements of string") {
        GGUFBuilder.changed { $0.add("a", GGUFBuilder.array(8, 1 << 32, [])) }
    },
    Attack("string element past the end", "an element of the value takes") {
        GGUFBuilder.changed { $0.add("a", GGUFBuilder.array(8, 1, little(UInt64(1) << 50))) }
    },
    Attack("array of arrays", "list of lists") {
        GGUFBuilder.changed { $0.add("a", GGUFBuilder.array(9, 1, [])) }
    },
    Attack("unknown value type", "value type 13; expected 0 to 12") {
        GGUFBuilder.changed { $0.add("a", little(UInt32(13))) }
    },
    Attack("truth value 2", "truth value 2; expected 0 or 1") {
        GGUFBuilder.changed { $0.add("a", little(UInt32(7)) + [2]) }
    },
    Attack("truth value 7 in a list", "truth value 7; expected 0 or 1") {
        GGUFBuilder.changed { $0.add("a", GGUFBuilder.array(7, 2, [1, 7])) }
    },
    Attack("duplicate key", "the key occurs twice") {
        GGUFBuilder.changed { $0.add("llama.block_count", GGUFBuilder.integer(9)) }
    },
    Attack("empty key", "a key of 0 bytes") {
        GGUFBuilder.changed { $0.add("", GGUFBuilder.integer(9)) }
    },
    Attack("key that is not ASCII", "printable ASCII") {
        GGUFBuilder.changed { $0.add("é", GGUFBuilder.integer(9)) }
    },
    Attack("alignment 3", "found 3; expected a power of two") {
        GGUFBuilder.changed { $0.add("general.alignment", GGUFBuilder.integer(3)) }
    },
    Attack("alignment 0", "found 0; expected a power of two") {
        GGUFBuilder.changed { $0.add("general.alignment", GGUFBuilder.integer(0)) }
    },
    Attack("alignment 2^31", "found 2147483648; expected a power of two") {
        GGUFBuilder.changed { $0.add("general.alignment", GGUFBuilder.integer(1 << 31)) }
    },
    Attack("alignment as text", "found a string; expected a power of two") {
        GGUFBuilder.changed { $0.add("general.alignment", GGUFBuilder.string("32")) }
    },
    Attack("tensor name of 65 bytes", "a name of 65 bytes; expected 1 to 64") {
        GGUFBuilder.changed { $0.tensors[0].name = Array(repeating: 0x61, count: 65) }
    },
    Attack("tensor name that is not UTF-8", "expected 1 to 64, in UTF-8") {
        GGUFBuilder.changed { $0.tensors[0].name = [0xFF, 0xFE] }
    },
    Attack("duplicate tensor", "the name occurs twice") {
        GGUFBuilder.changed { $0.tensors[1].name = $0.tensors[0].name }
    },
    Attack("5 axes", "5 axes; expected at most 4") {
        GGUFBuilder.changed { $0.tensors[0].axes = 5 }
    },
    Attack("axis 0", "an axis of 0 values") {
        GGUFBuilder.changed { $0.tensors[0].dimensions = [4, 0] }
    },
    Attack("axis 2^64-1", "an axis of 18446744073709551615 values") {
        GGUFBuilder.changed { $0.tensors[0].dimensions = [4, .max] }
    },
    Attack("shape whose product wraps to 0", "is larger than any file") {
        GGUFBuilder.changed { $0.tensors[0].dimensions = [1 << 32, 1 << 32] }
    },
    Attack("shape whose byte count wraps", "is larger than any file") {
        GGUFBuilder.changed { $0.tensors[0].dimensions = [1 << 31, 1 << 31] }
    },
    Attack("offset that wraps", "is larger than any file") {
        GGUFBuilder.changed { $0.tensors[0].offset = .max }
    },
    Attack("quantised row of 4 values", "q8_0 needs a multiple of 32") {
        GGUFBuilder.changed { $0.tensors[0].type = 8 }
    },
    Attack("type Q2_K", "stored as Q2_K, which is not supported; expected one of f32") {
        GGUFBuilder.changed { $0.tensors[0].type = 10 }
    },
    Attack("type 4294967295", "stored as type 4294967295") {
        GGUFBuilder.changed { $0.tensors[0].type = .max }
    },
    Attack("overlapping tensors", "offset 0; expected 32") {
        GGUFBuilder.changed { $0.tensors[1].offset = 0 }
    },
    Attack("hole between tensors", "offset 64; expected 32") {
        GGUFBuilder.changed { $0.tensors[1].offset = 64 }
    },
    Attack("tensor past the end", "the file ends at") {
        GGUFBuilder.changed { $0.tensors[0].dimensions = [4, 1 << 40] }
    },
    Attack("no data at all", "the file ends at") { GGUFBuilder.changed { $0.data = [] } },
    Attack("unknown architecture", "found 'gpt9'; expected one of llama, qwen2, qwen3") {
        GGUFBuilder.changed {
            $0.values[0] = GGUFBuilder.text(Array("general.architecture".utf8))
            $0.values[0] += GGUFBuilder.string("gpt9")
        }
    },
    Attack("architecture as a number", "found an integer; expected one of llama") {
        GGUFBuilder.changed {
            $0.values[0] = GGUFBuilder.text(Array("general.architecture".utf8))
            $0.values[0] += GGUFBuilder.integer(1)
        }
    },
    Attack("no architecture", "found nothing; expected one of llama") {
        GGUFBuilder.changed { $0.values.removeFirst() }
    },
    Attack("zero heads", "found 0; expected a whole number from 1") {
        GGUFBuilder.changed {
            $0.values[5] = GGUFBuilder.text(Array("llama.attention.head_count".utf8))
            $0.values[5] += GGUFBuilder.integer(0)
        }
    },
    Attack("no layers", "'llama.block_count': found nothing") {
        GGUFBuilder.changed { $0.values.remove(at: 1) }
    },
    Attack("mixture of experts", "found a mixture of 8 experts") {
        GGUFBuilder.changed { $0.add("llama.expert_count", GGUFBuilder.integer(8)) }
    },
    Attack("embedding of another width", "expected [vocabulary, 4]") {
        GGUFBuilder.changed { $0.tensors[0].dimensions = [8, 1] }
    },
    Attack("unknown rope scaling", "found 'su'; expected none, linear or yarn") {
        GGUFBuilder.changed { $0.add("llama.rope.scaling.type", GGUFBuilder.string("su")) }
    },
    Attack("partial rotation", "'llama.rope.dimension_count': found 1; rotating part of each") {
        GGUFBuilder.changed { $0.add("llama.rope.dimension_count", GGUFBuilder.integer(1)) }
    },
    Attack("values of another size", "'llama.attention.value_length': found 4; values of") {
        GGUFBuilder.changed { $0.add("llama.attention.value_length", GGUFBuilder.integer(4)) }
    },
    Attack("attention factor of YaRN", "'llama.rope.scaling.attn_factor': found 2.0, which is") {
        GGUFBuilder.changed {
            $0.add("llama.rope.scaling.type", GGUFBuilder.string("yarn"))
            $0.add(
                "llama.rope.scaling.attn_factor",
                little(UInt32(6)) + little(Float(2).bitPattern)
            )
        }
    },
    Attack("split without a number", "'split.no': found nothing of 2; expected a part's number") {
        GGUFBuilder.changed { $0.add("split.count", GGUFBuilder.integer(2)) }
    },
    Attack("part 3 of 2", "'split.no': found 2 of 2; expected a part's number") {
        GGUFBuilder.changed {
            $0.add("split.count", GGUFBuilder.integer(2))
            $0.add("split.no", GGUFBuilder.integer(2))
        }
    },
    Attack("part under another name", "is part 2 of 3 of a split model, and its name") {
        GGUFBuilder.changed {
            $0.add("split.count", GGUFBuilder.integer(3))
            $0.add("split.no", GGUFBuilder.integer(1))
        }
    },
    Attack("tokens as bytes", "found a list of uint8; expected a list of strings") {
        GGUFBuilder.changed { $0.add("tokenizer.ggml.tokens", GGUFBuilder.array(0, 2, [1, 2])) }
    },
    Attack("types as floats", "found a list of float32; expected a list of integers") {
        GGUFBuilder.changed {
            $0.add("tokenizer.ggml.tokens", GGUFBuilder.array(8, 1, GGUFBuilder.text([0x61])))
            $0.add("tokenizer.ggml.token_type", GGUFBuilder.array(6, 1, little(UInt32(0))))
        }
    },
    Attack("fewer types than tokens", "0 types; expected one for each of 1 tokens") {
        GGUFBuilder.changed {
            $0.add("tokenizer.ggml.tokens", GGUFBuilder.array(8, 1, GGUFBuilder.text([0x61])))
            $0.add("tokenizer.ggml.token_type", GGUFBuilder.array(5, 0, []))
        }
    },
    Attack("merge without a space", "merge 0: found 'ab'") {
        GGUFBuilder.changed {
            $0.add("tokenizer.ggml.model", GGUFBuilder.string("gpt2"))
            $0.add("tokenizer.ggml.tokens", GGUFBuilder.array(8, 1, GGUFBuilder.text([0x61])))
            let merge = GGUFBuilder.text(Array("ab".utf8))
            $0.add("tokenizer.ggml.merges", GGUFBuilder.array(8, 1, merge))
        }
    },
    Attack("end token past the vocabulary", "found 5; expected an id below 1") {
        GGUFBuilder.changed {
            $0.add("tokenizer.ggml.model", GGUFBuilder.string("gpt2"))
            $0.add("tokenizer.ggml.tokens", GGUFBuilder.array(8, 1, GGUFBuilder.text([0x61])))
            $0.add("tokenizer.ggml.eos_token_id", GGUFBuilder.integer(5))
        }
    },
]
