import Basics

/// What sets a published family of models apart: facts that readers of files and the forward pass
/// are handed, so that neither knows a family by name.
///
/// The families themselves are declared in `Models/Families`, one file each.
public struct ModelFamily: Sendable, Hashable {
    /// `model_type` in config.json, and `general.architecture` in GGUF files.
    public let name: String
    /// The class name that transformers expects under "architectures".
    public let architecture: String
    /// How its tensors are called; a tensor without a name is one that the family does not have.
    public let names: TensorNames
    /// Whether the query, key and value projections have biases unless config.json says otherwise.
    public let hasAttentionBias: Bool
    /// Whether GGUF files keep the rows of the query and key projections in the order in which
    /// adjacent pairs are rotated, instead of the published half-split order.
    public let rotatesAdjacentRowsInGGUF: Bool
    /// `hidden_act` in config.json.
    public let activation: String
    /// The base of the rotary frequencies where no file states it.
    public let ropeTheta: Double
    /// Whether the head is the embedding unless config.json says otherwise.
    public let tiesWordEmbeddings: Bool
    /// The last of so many layers is not rotated, unless config.json says which are; nil where all
    /// layers are rotated.
    public let unrotatedLayerInterval: Int?
    /// What `sliding_window` in config.json means.
    public let slidingWindow: SlidingWindow

    /// What `sliding_window` in config.json means.
    public enum SlidingWindow: Sendable, Hashable {
        /// Nothing: attention is full, unless `use_sliding_window` is there and true.
        case ignored
        /// The number of tokens that a token sees, itself included: where it is not stated, the
        /// given one, and all of them for null.
        case read(unlessStated: Int?)
    }

    /// Describes a family; what is left out is as in most of them.
    public init(
        name: String,
        architecture: String,
        names: TensorNames = TensorNames(),
        hasAttentionBias: Bool = false,
        rotatesAdjacentRowsInGGUF: Bool = false,
        activation: String = "silu",
        ropeTheta: Double = 10_000,
        tiesWordEmbeddings: Bool = false,
        unrotatedLayerInterval: Int? = nil,
        slidingWindow: SlidingWindow = .ignored
    ) {
        self.name = name
        self.architecture = architecture
        self.names = names
        self.hasAttentionBias = hasAttentionBias
        self.rotatesAdjacentRowsInGGUF = rotatesAdjacentRowsInGGUF
        self.activation = activation
        self.ropeTheta = ropeTheta
        self.tiesWordEmbeddings = tiesWordEmbeddings
        self.unrotatedLayerInterval = unrotatedLayerInterval
        self.slidingWindow = slidingWindow
    }
}

/// How the tensors of a family are called in both file formats.
///
/// Source of GGUF's names: llama.cpp, gguf-py/gguf/constants.py and tensor_mapping.py.
public struct TensorNames: Sendable, Hashable {
    /// A layer of the network, or a place for one, under its two names, without `.weight`.
    public struct Name: Sendable, Hashable {
        /// As Hugging Face publishes it.
        public let published: String
        /// In GGUF files.
        public let gguf: String

        /// Pairs both names.
        public init(_ published: String, gguf: String) {
            self.published = published
            self.gguf = gguf
        }

        /// The last part of the published name, such as `q_proj`.
        var lastComponent: String {
            published.split(separator: ".").last.map(String.init) ?? published
        }

        /// The published name of the weight.
        public var weight: String { "\(published).weight" }
    }

    /// The table of embeddings.
    public var embedding = Name("model.embed_tokens", gguf: "token_embd")
    /// The last norm.
    public var norm = Name("model.norm", gguf: "output_norm")
    /// The output head, where it is not the embedding.
    public var head = Name("lm_head", gguf: "output")
    /// What the names of a layer's parts begin with, before its number.
    public var layers = Name("model.layers", gguf: "blk")

    /// The norm before attention.
    public var inputNorm = Name("input_layernorm", gguf: "attn_norm")
    /// The query projection.
    public var query = Name("self_attn.q_proj", gguf: "attn_q")
    /// The key projection.
    public var key = Name("self_attn.k_proj", gguf: "attn_k")
    /// The value projection.
    public var value = Name("self_attn.v_proj", gguf: "attn_v")
    /// The output projection of attention.
    public var output = Name("self_attn.o_proj", gguf: "attn_output")
    /// The norm of each head's queries.
    public var queryNorm: Name?
    /// The norm of each head's keys.
    public var keyNorm: Name?
    /// The norm before the feed-forward block.
    public var feedForwardNorm = Name("post_attention_layernorm", gguf: "ffn_norm")
    /// The gate of the feed-forward block.
    public var gate = Name("mlp.gate_proj", gguf: "ffn_gate")
    /// The projection that the gate multiplies.
    public var up = Name("mlp.up_proj", gguf: "ffn_up")
    /// The output projection of the feed-forward block.
    public var down = Name("mlp.down_proj", gguf: "ffn_down")

    /// The names of Llama, which most families have taken over.
    public init() {}

    /// The linear maps of a layer, each in the order of the network.
    public var linearMaps: [Name] { [query, key, value, output, gate, up, down] }

    private var whole: [Name] { [embedding, norm, head] }
    /// The linear maps and the norms of a layer.
    public var layerParts: [Name] {
        linearMaps + [inputNorm, feedForwardNorm] + [queryNorm, keyNorm].compactMap(\.self)
    }

    /// The published path of a part of a layer.
    public func path(_ layer: Int, _ part: Name) -> String {
        "\(layers.published).\(layer).\(part.published)"
    }

    /// The published name of a tensor in a GGUF file; nil for one that the family does not have.
    public func published(gguf name: String) -> String? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard let last = parts.last, last == "weight" || last == "bias" else { return nil }
        if parts.count == 2, let found = whole.first(where: { $0.gguf == parts[0] }) {
            return "\(found.published).\(last)"
        }
        guard parts.count == 4, parts[0] == layers.gguf, let layer = Int(parts[1]), layer >= 0,
            String(layer) == parts[1], let part = layerParts.first(where: { $0.gguf == parts[2] })
        else { return nil }
        return "\(path(layer, part)).\(last)"
    }
}

extension ModelFamily {
    /// The family of a name that a file gives.
    ///
    /// - Parameters:
    ///   - name: What the file says; nil where it says nothing, or no text.
    ///   - found: What to print of that.
    ///   - known: The families to choose from.
    ///   - path: The file.
    ///   - place: Where in the file.
    /// - Returns: The family.
    /// - Throws: `Failure.badData` listing the known names.
    static func named(
        _ name: String?,
        found: String?,
        among known: [ModelFamily],
        in path: String,
        at place: String
    ) throws -> ModelFamily {
        if let family = known.first(where: { $0.name == name }) { return family }
        throw Failure(
            .badData,
            file: path,
            at: place,
            "found \(name.map { "'\($0)'" } ?? found ?? "nothing"); "
                + "expected one of \(known.map(\.name).joined(separator: ", "))"
        )
    }
}
