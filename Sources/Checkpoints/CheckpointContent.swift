import Files
import Foundation
import Kernels

/// What a checkpoint holds.
public struct CheckpointContent: Sendable {
    /// The model's tensors; none where only adapters of another model are kept.
    public var tensors: [NamedTensor]
    /// Low-rank adapters, which belong to a model that the metadata name; see `LoRA`.
    public var adapters: [NamedTensor]
    /// AdamW's first moments by parameter name; nil in a checkpoint that is not trained further.
    public var firstMoments: [String: Buffer<Float>]?
    /// AdamW's second moments by parameter name.
    public var secondMoments: [String: Buffer<Float>]?
    /// Where training stands: step, epoch, cursor, seed, and anything else.
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
    ///   the count of a tensor.
    public init(
        tensors: [NamedTensor],
        adapters: [NamedTensor] = [],
        firstMoments: [String: Buffer<Float>]? = nil,
        secondMoments: [String: Buffer<Float>]? = nil,
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

    /// Moments as tensors to be written, in the order of names.
    ///
    /// - Precondition: Each has the name and the count of a tensor.
    func moments(_ moments: [String: Buffer<Float>]) -> [NamedTensor] {
        let shapes = Dictionary(
            (tensors + adapters).map { ($0.name, $0.shape) },
            uniquingKeysWith: { first, _ in first }
        )
        return moments.keys.sorted().map { name in
            guard let shape = shapes[name], let values = moments[name] else {
                preconditionFailure("CheckpointContent: moment '\(name)' of no tensor")
            }
            return NamedTensor(name: name, shape: shape, values: values)
        }
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

    /// Groups of tensors by path; "adapters", "optimizer/m" and "optimizer/v" only where they have
    /// any.
    var groups: [(path: String, tensors: [NamedTensor])] {
        var result = [("model", tensors.sorted { $0.name < $1.name })]
        if !adapters.isEmpty { result.append(("adapters", adapters.sorted { $0.name < $1.name })) }
        if let firstMoments { result.append(("optimizer/m", moments(firstMoments))) }
        if let secondMoments { result.append(("optimizer/v", moments(secondMoments))) }
        return result
    }

    /// About how many bytes the file takes: the numbers, the texts, and a kilobyte a data set.
    var estimatedByteCount: Int {
        let numbers = groups.reduce(0) { sum, group in
            group.tensors.reduce(sum) { $0 + $1.byteCount + 1024 }
        }
        return texts.reduce(numbers + 16384) { $0 + $1.text.count }
    }
}
