import Basics

/// How the pre-tokenizers are written in tokenizer.json and named in GGUF.
extension PreTokenizer {
    private static let gpt2Pattern =
        #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
    private static let qwen2Pattern = pattern(number: #"\p{N}"#)
    private static let llama3Pattern = pattern(number: #"\p{N}{1,3}"#)

    private static func pattern(number: String) -> String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"# + number
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The values of `tokenizer.ggml.pre` understood, and what each means.
    static let ggufNames: [(name: String, value: PreTokenizer)] = [
        ("gpt-2", .gpt2), ("phi-2", .gpt2), ("mpt", .gpt2), ("olmo", .gpt2),
        ("qwen2", .qwen2), ("deepseek-r1-qwen", .qwen2), ("stablelm2", .qwen2),
        ("llama-bpe", .llama3), ("llama3", .llama3), ("llama-v3", .llama3),
        ("smollm", .smolLM), ("starcoder", .smolLM), ("refact", .smolLM), ("codeshell", .smolLM),
        ("command-r", .smolLM),
    ]

    /// The pre-tokenizer that a GGUF file names.
    ///
    /// - Throws: `Failure.badData` listing the known names. Among the unknown ones is `default`:
    ///   it says that the converter did not know which pre-tokenizer the model has.
    init(ggufName name: String) throws {
        guard let known = PreTokenizer.ggufNames.first(where: { $0.name == name }) else {
            let names = PreTokenizer.ggufNames.map(\.name).joined(separator: ", ")
            throw Failure(
                .badData,
                at: "'tokenizer.ggml.pre'",
                "unknown pre-tokenizer '\(name)'; known are \(names)",
                remedy: "Use the model's Hugging Face folder, or convert it with a newer llama.cpp."
            )
        }
        self = known.value
    }

    /// Recognises the `pre_tokenizer` of a tokenizer.json by its structure.
    ///
    /// - Throws: `Failure.badData` saying what was found and what is known.
    init(json: JSON?) throws {
        var steps: [Step] = []
        try PreTokenizer.flatten(json ?? .null, into: &steps)
        let known = PreTokenizer.structures.first { $0.steps == steps }
        guard let known else {
            let found = steps.map(\.description).joined(separator: ", ")
            throw Failure(
                .badData,
                at: "'pre_tokenizer'",
                "unknown pre-tokenizer [\(found)]; known are those of GPT-2, Qwen2, Llama 3 and "
                    + "SmolLM"
            )
        }
        self = known.value
    }

    /// The `pre_tokenizer` of a tokenizer.json that stands for this one.
    var json: JSON {
        func byteLevel(pattern: Bool) -> JSON {
            [
                "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false,
                "use_regex": .bool(pattern),
            ]
        }
        func split(_ pattern: String) -> JSON {
            [
                "type": "Split", "pattern": ["Regex": .string(pattern)], "behavior": "Isolated",
                "invert": false,
            ]
        }
        func sequence(_ first: JSON, _ second: JSON) -> JSON {
            ["type": "Sequence", "pretokenizers": [first, second]]
        }
        return switch self {
        case .whole: .null
        case .gpt2: byteLevel(pattern: true)
        case .qwen2: sequence(split(PreTokenizer.qwen2Pattern), byteLevel(pattern: false))
        case .llama3: sequence(split(PreTokenizer.llama3Pattern), byteLevel(pattern: false))
        case .smolLM:
            sequence(["type": "Digits", "individual_digits": true], byteLevel(pattern: true))
        }
    }

    /// One element of a pre-tokenizer in tokenizer.json.
    private enum Step: Equatable, CustomStringConvertible {
        case split(String)
        case digits
        case byteLevel(pattern: Bool)

        var description: String {
            switch self {
            case .split(let pattern): "Split \(pattern)"
            case .digits: "Digits one by one"
            case .byteLevel(let pattern): "ByteLevel \(pattern ? "with" : "without") pattern"
            }
        }
    }

    private static let structures: [(steps: [Step], value: PreTokenizer)] = [
        ([], .whole),
        ([.byteLevel(pattern: true)], .gpt2),
        ([.split(gpt2Pattern), .byteLevel(pattern: false)], .gpt2),
        ([.split(qwen2Pattern), .byteLevel(pattern: false)], .qwen2),
        ([.split(llama3Pattern), .byteLevel(pattern: false)], .llama3),
        ([.digits, .byteLevel(pattern: true)], .smolLM),
        ([.split(#"\p{N}"#), .byteLevel(pattern: true)], .smolLM),
    ]

    private static func flatten(_ json: JSON, into steps: inout [Step]) throws {
        guard !json.isNull else { return }
        let type = try json.string("type")
        func unsupported(_ what: String) -> Failure {
            Failure(.badData, at: "'pre_tokenizer'", "\(type): \(what) is not supported")
        }
        switch type {
        case "Sequence":
            for step in try json.array("pretokenizers") { try flatten(step, into: &steps) }
        case "ByteLevel":
            guard json["add_prefix_space"]?.bool == false else {
                throw unsupported("add_prefix_space")
            }
            steps.append(.byteLevel(pattern: json["use_regex"]?.bool ?? true))
        case "Digits":
            guard json["individual_digits"]?.bool == true else {
                throw unsupported("keeping digits together")
            }
            steps.append(.digits)
        case "Split":
            guard let pattern = json["pattern"]?["Regex"]?.string else {
                throw unsupported("a pattern that is not a Regex")
            }
            guard json["behavior"]?.string == "Isolated", json["invert"]?.bool != true else {
                throw unsupported("another behavior than Isolated")
            }
            steps.append(.split(pattern))
        default: throw unsupported("this type")
        }
    }
}
