import Basics
import Foundation
import Kernels

/// What a checkpoint holds.
public struct CheckpointContent: Sendable {
    /// The model's tensors; none where only adapters of another model are kept.
    public var tensors: [NamedTensor]
    /// Low-rank adapters, which belong to a model that the metadata name; see `LoRA`.
    public var adapters: [NamedTensor]
    /// AdamW's first moments of each parameter; none in a checkpoint that is not trained further.
    public var firstMoments: [NamedTensor]
    /// AdamW's second moments of each parameter.
    public var secondMoments: [NamedTensor]
    /// Where training stands: steps done, epoch, steps into the epoch (`cursor`), seed, and anything
    /// else.
    public var state: JSON
    /// The model's configuration, in the form of Hugging Face's config.json.
    public var configuration: JSON
    /// The text of tokenizer.json, kept byte for byte.
    public var tokenizer: Data?
    /// Anything else worth keeping beside the weights.
    public var metadata: JSON

    /// Describes a checkpoint.
    ///
    /// - Precondition: Names are unique, not empty and without "/"; each moment has the name and
    ///   the shape of a tensor.
    public init(
        tensors: [NamedTensor],
        adapters: [NamedTensor] = [],
        firstMoments: [NamedTensor] = [],
        secondMoments: [NamedTensor] = [],
        state: JSON = .object(JSONObject()),
        configuration: JSON,
        tokenizer: Data? = nil,
        metadata: JSON = .object(JSONObject())
    ) {
        self.tensors = tensors
        self.adapters = adapters
        self.firstMoments = firstMoments
        self.secondMoments = secondMoments
        self.state = state
        self.configuration = configuration
        self.tokenizer = tokenizer
        self.metadata = metadata
    }

    /// Texts by the name of their data set.
    var texts: [(name: String, text: Data)] {
        var result = [
            ("config", Data(configuration.compact.utf8)),
            ("metadata", Data(metadata.compact.utf8)),
            ("state", Data(state.compact.utf8)),
        ]
        if let tokenizer, !tokenizer.isEmpty { result.append(("tokenizer", tokenizer)) }
        return result
    }

    /// Groups of tensors by path, each in the order of names; but for "model" only those that have
    /// any.
    var groups: [(path: String, tensors: [NamedTensor])] {
        [
            ("model", tensors), ("adapters", adapters), ("optimizer/m", firstMoments),
            ("optimizer/v", secondMoments),
        ]
        .filter { $0.0 == "model" || !$0.1.isEmpty }
        .map { ($0, $1.sorted { $0.name < $1.name }) }
    }

    /// About how many bytes the file takes: the numbers, the texts, and a kilobyte a data set.
    public var estimatedByteCount: Int {
        let numbers = groups.reduce(0) { sum, group in
            group.tensors.reduce(sum) { $0 + $1.byteCount + 1024 }
        }
        return texts.reduce(numbers + 16384) { $0 + $1.text.count }
    }
}
