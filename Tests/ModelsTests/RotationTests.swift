import Basics
import Models
import Testing

/// What config.json says of sizes and of the rotation.
@Suite struct RotationTests {
    static let llama3 = """
        "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64
        """
    static let yarn = """
        "rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 128
        """

    static func configuration(_ members: String) throws -> ModelConfiguration {
        let json = """
            {"model_type": "llama", "vocab_size": 10, "hidden_size": 8, "intermediate_size": 16,
            "num_hidden_layers": 1, "num_attention_heads": 2, "rms_norm_eps": 1e-6, \(members)}
            """
        return try ModelConfiguration(JSON(parsing: json))
    }

    @Test(arguments: [
        "\"rope_theta\": 5e5, \"rope_scaling\": {\"rope_type\": \"llama3\", \(llama3)}",
        "\"rope_theta\": 5e5, \"rope_scaling\": {\"type\": \"llama3\", \(llama3)}",
        """
        "rope_theta": 5e5, "rope_scaling": {"type": "llama3", "rope_type": "llama3", \(llama3)}
        """,
        """
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 500000, \(llama3)}
        """,
        """
        "rope_theta": 5e5, "rope_parameters": null,
        "rope_scaling": {"rope_type": "llama3", \(llama3)}
        """,
        """
        "rope_theta": 5e5, "rope_scaling": null, "partial_rotary_factor": 1.0,
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, \(llama3)}
        """,
        """
        "rope_theta": 5e5, "rope_scaling": {"rope_type": "llama3", \(llama3)},
        "rope_parameters": {"rope_type": "llama3", "rope_theta": 5e5, \(llama3)}
        """,
        """
        "rope_theta": 5e5, "original_max_position_embeddings": 64, "rope_scaling":
        {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}
        """,
    ]) func oneRotationInManySpellings(_ members: String) throws {
        let found = try Self.configuration(members)
        #expect(found.ropeTheta == 500_000)
        #expect(
            found.ropeScaling
                == .llama3(factor: 8, lowFactor: 1, highFactor: 4, originalPositions: 64)
        )
    }

    @Test(arguments: [
        ("\"rope_parameters\": {\"rope_theta\": 7.0}", 7.0), ("\"rope_parameters\": {}", 10_000),
        ("\"rope_parameters\": {\"rope_type\": \"default\", \"rope_theta\": 1e6}", 1e6),
        ("\"rope_theta\": null, \"rope_scaling\": null", 10_000), ("\"rope_theta\": 2e6", 2e6),
    ]) func unscaled(_ members: String, _ theta: Double) throws {
        let found = try Self.configuration(members)
        #expect(found.ropeTheta == theta && found.ropeScaling == .none)
    }

    /// Members of config.json and parts of what is said of them: the key and the value.
    static let refused: [(String, [String])] = [
        // Said twice, and not alike.
        (
            "\"rope_theta\": 1e4, \"rope_parameters\": {\"rope_theta\": 1e6}",
            ["'rope_parameters', 'rope_theta': found 1000000.0", "'rope_theta' is 10000.0"]
        ),
        (
            "\"rope_scaling\": {\(yarn)}, \"rope_parameters\": {\"rope_type\": \"default\"}",
            ["'rope_scaling': found", "'rope_parameters' says null"]
        ),
        (
            "\"rope_scaling\": {\"type\": \"linear\", \"rope_type\": \"default\", \"factor\": 2}",
            ["'rope_scaling', 'type': found 'linear'", "'rope_type' is 'default'"]
        ),
        (
            "\"rope_scaling\": {\"factor\": 2}",
            ["'factor': found 2.0, but no kind of scaling"]
        ),
        (
            "\"original_max_position_embeddings\": 64, \"rope_scaling\": {\(yarn)}",
            ["'original_max_position_embeddings': found 128 here and 64 beside it"]
        ),
        // Said of some layers or elements only.
        (
            """
            "rope_parameters": {"full_attention": {"rope_theta": 1e6, "rope_type": "default"},
            "sliding_attention": {"rope_theta": 1e4, "rope_type": "default"}}
            """, ["'rope_parameters', 'full_attention': rotations that differ by layer"]
        ),
        ("\"partial_rotary_factor\": 0.5", ["'partial_rotary_factor': found 0.5"]),
        (
            "\"rope_parameters\": {\"rope_theta\": 1e4, \"partial_rotary_factor\": 0.25}",
            ["'rope_parameters', 'partial_rotary_factor': found 0.25"]
        ),
        ("\"rotary_pct\": 0.25", ["'rotary_pct': found 0.25"]),
        ("\"no_rope_layers\": [1, 0]", ["'no_rope_layers': found layer 1 without rotation"]),
        (
            "\"layer_types\": [\"full_attention\", \"sliding_attention\"]",
            ["'layer_types': found \"sliding_attention\""]
        ),
        // Of the wrong kind.
        ("\"rope_scaling\": [2]", ["'rope_scaling': found a list; expected an object"]),
        ("\"rope_theta\": \"1e4\"", ["'rope_theta': found a string"]),
        ("\"tie_word_embeddings\": \"true\"", ["'tie_word_embeddings': found a string"]),
        // Numbers that make no sense.
        ("\"rope_theta\": 0", ["'rope_theta': found 0.0; expected a finite number from 1"]),
        ("\"rope_theta\": -10000", ["'rope_theta': found -10000.0"]),
        ("\"rope_theta\": 0.5", ["'rope_theta': found 0.5"]),
        ("\"rope_theta\": 1, \"rope_scaling\": {\(yarn)}", ["'rope_theta': found 1; YaRN"]),
        (
            "\"rope_scaling\": {\"type\": \"linear\", \"factor\": 0}",
            ["'rope_scaling', 'factor': found 0.0; expected a finite number above 0"]
        ),
        (
            "\"rope_scaling\": {\"type\": \"linear\", \"factor\": -2}",
            ["'rope_scaling', 'factor': found -2.0"]
        ),
        (
            "\"rope_scaling\": {\"type\": \"llama3\", \(llama3.replacing("4.0", with: "1.0"))}",
            ["'high_freq_factor': found 1.0; expected more than 'low_freq_factor', 1.0"]
        ),
        (
            "\"rope_scaling\": {\"type\": \"llama3\", \(llama3.replacing("64", with: "0"))}",
            ["'original_max_position_embeddings': found 0; expected 1 to"]
        ),
        (
            "\"rope_scaling\": {\(yarn.replacing("128", with: "-128"))}",
            ["'original_max_position_embeddings': found -128"]
        ),
        (
            "\"rope_scaling\": {\(yarn), \"beta_fast\": 1, \"beta_slow\": 32}",
            ["'beta_fast': found 1.0; expected more than 'beta_slow', 32.0"]
        ),
        ("\"rope_scaling\": {\(yarn), \"beta_slow\": 0}", ["'beta_slow': found 0.0"]),
        (
            "\"rope_scaling\": {\(yarn), \"attention_factor\": -1}",
            ["'attention_factor': found -1.0"]
        ),
        ("\"rope_scaling\": {\(yarn), \"mscale\": 0.7}", ["'mscale': found 0.7"]),
        ("\"rope_scaling\": {\(yarn), \"truncate\": false}", ["'truncate': found false"]),
        ("\"rms_norm_eps\": -1e-6", ["'rms_norm_eps': found -1e-06; expected a number above 0"]),
        ("\"rms_norm_eps\": 0", ["'rms_norm_eps': found 0.0"]),
        // Sizes whose products would overflow.
        (
            "\"num_hidden_layers\": 16777216",
            ["'num_hidden_layers': found 16777216; expected 1 to 4096"]
        ),
        ("\"num_attention_heads\": 16777216", ["'num_attention_heads': found 16777216"]),
        ("\"head_dim\": 16777216", ["'head_dim': found 16777216"]),
        (
            "\"num_attention_heads\": 1048576, \"head_dim\": 1048576",
            ["'num_attention_heads' times 'head_dim': found 1099511627776"]
        ),
        ("\"hidden_size\": 9223372036854775807", ["'hidden_size': found 9223372036854775807"]),
        ("\"intermediate_size\": 0", ["'intermediate_size': found 0; expected 1 to"]),
        ("\"max_position_embeddings\": 0", ["'max_position_embeddings': found 0"]),
        ("\"num_key_value_heads\": 0", ["'num_key_value_heads': found 0"]),
        ("\"hidden_size\": 9", ["'num_attention_heads': 2 does not divide the hidden size 9"]),
    ]

    @Test(arguments: refused) func refuses(_ members: String, _ parts: [String]) {
        let failure = #expect(throws: Failure.self) { try Self.changed(members) }
        #expect(failure?.kind.exitCode == 65)
        let message = failure?.description ?? ""
        for part in parts { #expect(message.contains(part), "\(message)") }
    }

    /// The configuration with members added, or changed where they are there.
    static func changed(_ members: String) throws -> ModelConfiguration {
        let base = try configuration("\"hidden_act\": \"silu\"").json
        var object = base.object ?? JSONObject()
        for key in ["rope_theta", "rope_scaling", "head_dim"] { object[key] = nil }
        for (key, value) in try JSON(parsing: "{\(members)}").object?.members ?? [] {
            object[key] = value
        }
        return try ModelConfiguration(.object(object))
    }

    /// The largest configuration that is accepted has sizes that can be reckoned with.
    @Test func theLimitsKeepProductsFromOverflowing() throws {
        let largest = try Self.changed(
            """
            "vocab_size": 16777216, "hidden_size": 1048576, "intermediate_size": 1048576,
            "num_hidden_layers": 4096, "num_attention_heads": 524288, "head_dim": 2,
            "num_key_value_heads": 524288
            """
        )
        #expect(largest.parameterCount == 31_560_390_354_665_472)
        #expect(!largest.parameterCount.multipliedReportingOverflow(by: 32).overflow)
    }
}
