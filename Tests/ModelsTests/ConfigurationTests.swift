import Basics
import Models
import Testing

@Suite struct ConfigurationTests {
    static let sound = """
        {"model_type": "qwen2", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 16,
        "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
        "rms_norm_eps": 1e-6, "tie_word_embeddings": true, "eos_token_id": [1, 2]}
        """

    @Test func survivesWritingAndReading() throws {
        let configuration = try ModelConfiguration(JSON(parsing: Self.sound))
        #expect(configuration.hasAttentionBias)
        #expect(configuration.headDimension == 4)
        #expect(configuration.endOfTextIDs == [1, 2])
        #expect(try ModelConfiguration(configuration.json) == configuration)
    }

    @Test(arguments: [
        ("qwen2", "mamba", "unknown architecture 'mamba'"),
        ("\"vocab_size\": 10, ", "", "'vocab_size'"),
        ("\"num_attention_heads\": 2", "\"num_attention_heads\": 3", "does not divide"),
        ("\"hidden_size\": 8", "\"hidden_size\": -8", "found -8; expected 1 to 1048576"),
        ("\"hidden_size\": 8", "\"hidden_size\": 8, \"head_dim\": 3", "even"),
        ("\"hidden_size\": 8", "\"hidden_size\": 1", "even"),
        ("\"hidden_size\": 8", "\"hidden_size\": 8, \"hidden_act\": \"gelu\"", "gelu"),
        (
            "\"hidden_size\": 8",
            "\"hidden_size\": 8, \"rope_scaling\": {\"rope_type\": \"dynamic\", \"factor\": 2}",
            "'dynamic' is not implemented"
        ),
    ]) func refuses(_ text: String, _ replacement: String, _ fragment: String) throws {
        var changed = Self.sound.replacing(text, with: replacement)
        if fragment == "does not divide" {
            changed = changed.replacing(
                "\"num_key_value_heads\": 1",
                with: "\"num_key_value_heads\": 2"
            )
        }
        let failure = #expect(throws: Failure.self) {
            try ModelConfiguration(JSON(parsing: changed))
        }
        #expect(failure?.kind.exitCode == 65)
        #expect("\(failure?.description ?? "")".contains(fragment))
    }
}
