import Basics
import Foundation
import Kernels
import Models
import Testing

@testable import Checkpoints

/// Opens a GGUF file and reads all that is in it.
private func readAll(_ path: String) throws {
    let file = try ggufFile(path)
    _ = try file.vocabulary()
    _ = try file.configuration()
    for name in file.tensors.keys { _ = try file.values(name) }
}

@Suite struct GGUFTests {
    @Test func readsEveryTypeAsTheReferenceDoes() throws {
        let file = try ggufFile(fixture("tiny.gguf"))
        let expected = try Safetensors(fixture("tiny.safetensors"))
        #expect(Set(file.tensors.keys) == Set(expected.tensors.keys))
        let formats = Set(file.tensors.values.map(\.format))
        #expect(formats == Set(BlockFormat.allCases))
        for (name, info) in expected.tensors {
            #expect(file.tensors[name]?.shape == info.shape, "\(name)")
            let found = try file.values(name).array
            let wanted = try expected.values(name).array
            let worst = zip(found, wanted).map { abs($0 - $1) }.max() ?? .infinity
            // One rounding of a product and a sum of magnitude at most 8.
            #expect(found.count == wanted.count && worst <= 1e-6, "\(name): \(worst)")
        }
    }

    @Test func presentsConfigurationAndVocabulary() throws {
        let file = try ggufFile(fixture("tiny.gguf"))
        let configuration = try file.configuration()
        #expect(
            configuration.compact == """
                {"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":256,\
                "num_hidden_layers":1,"num_attention_heads":2,"num_key_value_heads":1,\
                "head_dim":8,"intermediate_size":32,"vocab_size":3,\
                "max_position_embeddings":512,"rms_norm_eps":1e-05,"rope_theta":50000.0,\
                "rope_scaling":null,"hidden_act":"silu","tie_word_embeddings":false,\
                "attention_bias":true,"bos_token_id":1,"eos_token_id":2}
                """
        )
        let vocabulary = try #require(try file.vocabulary())
        #expect(vocabulary.tokens == [[0x61], [0xC3, 0xA0], [0x61, 0xCC, 0x80]])
        #expect(vocabulary.types == [1, 3, 1])
        #expect(vocabulary.merges.map(\.left) == [[0x61], [0xC4, 0xA0]])
        #expect(vocabulary.merges.map(\.right) == [[0x62], [0x74]])
        #expect(vocabulary.pre == "smollm" && vocabulary.model == "gpt2")
        #expect(vocabulary.bosID == 1 && vocabulary.eosID == 2)
        #expect(vocabulary.padID == nil && vocabulary.addBOS == false)
        #expect(vocabulary.chatTemplate == "{{ messages }}")
    }

    @Test func readsTheBaseOfTheAttacks() throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("valid.gguf", GGUFBuilder.valid().bytes)
        try readAll(path)
        #expect(try ggufFile(path).tensors["model.embed_tokens.weight"]?.shape == [2, 4])
    }

    @Test(arguments: ggufAttacks) func refuses(_ attack: Attack) throws {
        let folder = try TemporaryFolder()
        let path = try folder.write("attack.gguf", attack.make())
        let failure = try #require(failure { try readAll(path) })
        #expect(failure.kind.exitCode == 65)
        #expect("\(failure)".contains(attack.fragment), "\(failure)")
        #expect(failure.file == path)
    }

    @Test func refusesEveryTruncation() throws {
        let folder = try TemporaryFolder()
        let whole = GGUFBuilder.valid().bytes
        // The padding after the last tensor is no data; everything before it is needed.
        for length in 0..<whole.count - 80 {
            let path = try folder.write("cut.gguf", Array(whole.prefix(length)))
            #expect(failure { try readAll(path) }?.kind.exitCode == 65, "\(length) bytes")
        }
    }

    @Test(arguments: [
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("output.weight", "lm_head.weight"),
        ("output_norm.weight", "model.norm.weight"),
        ("blk.0.attn_q.bias", "model.layers.0.self_attn.q_proj.bias"),
        ("blk.31.attn_k_norm.weight", "model.layers.31.self_attn.k_norm.weight"),
        ("blk.2.ffn_down.weight", "model.layers.2.mlp.down_proj.weight"),
        ("blk.2.ffn_norm.weight", "model.layers.2.post_attention_layernorm.weight"),
        ("blk.2.attn_output.weight", "model.layers.2.self_attn.o_proj.weight"),
        ("blk.02.attn_output.weight", nil), ("blk.-1.attn_q.weight", nil),
        ("blk.1.ffn_gate_exps.weight", nil), ("rope_freqs.weight", nil), ("output", nil),
    ])
    func names(_ name: String, _ published: String?) {
        #expect(ModelFamily.qwen3.names.published(gguf: name) == published)
    }

    /// Mistakes in numbers are found in the configuration; a message names the file's own key.
    @Test(arguments: [
        ("'rope_theta'", "metadata 'llama.rope.freq_base'"),
        ("'rope_scaling', 'factor'", "metadata 'llama.rope.scaling.factor'"),
        ("'rms_norm_eps'", "metadata 'llama.attention.layer_norm_rms_epsilon'"),
        ("'num_attention_heads' times 'head_dim'", "metadata 'llama.attention.head_count'"),
        ("'vocab_size'", "the rows of token_embd.weight"), ("tensor 'x'", "tensor 'x'"),
    ])
    func placesAreThoseOfTheFile(_ key: String, _ place: String) throws {
        let folder = try TemporaryFolder()
        let file = try ggufFile(folder.write("valid.gguf", GGUFBuilder.valid().bytes))
        #expect(file.place(ofKey: key) == place)
    }

    @Test func followsTheRampOfYaRN() throws {
        let folder = try TemporaryFolder()
        var builder = GGUFBuilder.valid()
        builder.add("llama.rope.dimension_count", GGUFBuilder.integer(2))
        builder.add("llama.rope.scaling.type", GGUFBuilder.string("yarn"))
        builder.add("llama.rope.scaling.original_context_length", GGUFBuilder.integer(64))
        for (key, value) in [("factor", 4), ("yarn_beta_fast", 16), ("yarn_ext_factor", 1)] {
            let number = little(UInt32(6)) + little(Float(value).bitPattern)
            builder.add("llama.rope.scaling.\(key)", number)
        }
        let file = try ggufFile(folder.write("yarn.gguf", builder.bytes))
        #expect(
            try file.configuration()["rope_scaling"]?.compact == """
                {"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":64,\
                "beta_fast":16.0,"beta_slow":null}
                """
        )
    }

    @Test func recognisesTheScalingOfLlama3() throws {
        // 8 frequencies, theta 500000, factor 32: unscaled, blended and divided ones.
        let theta = 500_000.0
        let factors = (0..<8).map { index in
            let wavelength = 2 * Double.pi * pow(theta, Double(index) / 8)
            if wavelength < 8192 / 4 { return Float(1) }
            if wavelength > 8192 { return Float(32) }
            let smooth = (8192 / wavelength - 1) / 3
            return Float(1 / ((1 - smooth) / 32 + smooth))
        }
        let folder = try TemporaryFolder()
        func file(_ factors: [Float]) throws -> GGUFFile {
            var builder = GGUFBuilder.valid()
            let theta = little(UInt32(6)) + little(Float(theta).bitPattern)
            builder.add("llama.rope.freq_base", theta)
            builder.tensors.append(
                .init(name: Array("rope_freqs.weight".utf8), dimensions: [8], offset: 64)
            )
            builder.data =
                Array(repeating: 0, count: 64) + factors.flatMap { little($0.bitPattern) }
            return try ggufFile(folder.write("rope.gguf", builder.bytes))
        }
        let scaling = try file(factors).configuration()["rope_scaling"]
        #expect(scaling?["rope_type"]?.string == "llama3" && scaling?["factor"]?.number == 32)
        let wrong = failure { _ = try file(factors.reversed()).configuration() }
        #expect(wrong?.message.contains("are not those of the llama3 scaling") == true)
    }
}
