import Autograd
import Checkpoints
import Foundation

/// Memory that fine-tuning will take, computed from sizes: of all weights in float32, or of
/// adapters on stored weights.
public struct MemoryEstimate: Sendable, Equatable {
    /// Weights, gradients and two moments; frozen weights as stored.
    public let parameterBytes: Int
    /// Inner values kept for the backward pass of the largest micro-batch, and its gradients.
    public let activationBytes: Int
    /// Logits of one chunk of rows.
    public let logitBytes: Int
    /// What is computed again instead of being kept.
    public let recomputation: Recomputation
    /// A frozen teacher beside the student, its states and its logits of one chunk of rows.
    public var teacherBytes = 0
    /// What writing rollouts takes in place of activations and logits, which are not there then.
    public var rolloutBytes = 0

    /// The programs themselves, OpenBLAS's packing buffers, tables.
    private static let otherBytes = 150 << 20

    /// All of it.
    public var totalBytes: Int {
        parameterBytes + max(activationBytes + logitBytes, rolloutBytes) + teacherBytes
            + Self.otherBytes
    }

    /// Adapters that are trained, and the bytes of the matrices under them.
    public typealias Adapting = (lora: LoRA, storedBytes: Int)

    /// An estimate for micro-batches of `rows` tokens.
    public init(
        _ configuration: ModelConfiguration,
        recomputation: Recomputation,
        rows: Int,
        moments: NamedTensor.Storage = .float32,
        adapting: Adapting? = nil
    ) {
        let c = configuration
        self.recomputation = recomputation
        let width = c.attentionWidth
        var kept = recomputation.keptValues(c)
        // An update keeps its input times A.
        kept += (adapting?.lora).map { $0.rank * $0.targets.count } ?? 0
        // At its fullest the backward pass of one layer holds the gated product, its gradient and
        // those of its factors, the block's input and its gradient, the residual stream's
        // gradient; and what has been computed again.
        var inner = 4 * c.intermediateSize + 4 * c.hiddenSize
        if recomputation >= .feedForward { inner += 2 * c.intermediateSize }
        if recomputation >= .layers { inner += 2 * width + 2 * c.hiddenSize }
        let words = c.layerCount * kept + inner + 3 * c.hiddenSize + c.headDimension
        let trained = adapting?.lora.parameterCount(c) ?? c.parameterCount
        parameterBytes =
            trained * 2 * (MemoryLayout<Float>.size + moments.bytesPerValue)
            + (adapting?.storedBytes ?? 0)
        activationBytes = rows * words * MemoryLayout<Float>.size
        let logitRows = min(rows, Variable<Float>.headRowsAtOnce(vocabularySize: c.vocabularySize))
        logitBytes = logitRows * c.vocabularySize * MemoryLayout<Float>.size
    }

    /// The estimate for the least recomputation that memory allows.
    ///
    /// Everything is kept while that adds at most a quarter to weights, gradients and moments (or
    /// 1 GiB); whole layers are computed again only where nothing less fits into nine tenths of
    /// what is available; nil counts as without limit.
    public static func choosing(
        _ configuration: ModelConfiguration,
        rows: Int,
        moments: NamedTensor.Storage = .float32,
        adapting: Adapting? = nil,
        availableBytes: Int?
    ) -> MemoryEstimate {
        func estimate(_ recomputation: Recomputation) -> MemoryEstimate {
            MemoryEstimate(
                configuration,
                recomputation: recomputation,
                rows: rows,
                moments: moments,
                adapting: adapting
            )
        }
        func fits(_ estimate: MemoryEstimate) -> Bool {
            availableBytes.map { estimate.totalBytes <= $0 / 10 * 9 } ?? true
        }
        let all = estimate(.none)
        if fits(all) && all.activationBytes <= max(1 << 30, all.parameterBytes / 4) { return all }
        let some = estimate(.feedForward)
        return fits(some) ? some : estimate(.layers)
    }

    /// One line for people.
    public var text: String {
        func gigabytes(_ bytes: Int) -> String { String(format: "%.2f GB", Double(bytes) / 1e9) }
        return "memory: about \(gigabytes(totalBytes)) (weights, gradients and moments "
            + "\(gigabytes(parameterBytes)), activations \(gigabytes(activationBytes)), logits "
            + gigabytes(logitBytes)
            + (teacherBytes > 0 ? ", the teacher \(gigabytes(teacherBytes))" : "")
            + (rolloutBytes > 0 ? "; writing rollouts \(gigabytes(rolloutBytes))" : "")
            + "), recomputing \(recomputation.rawValue)"
    }

    /// What the student takes besides its weights while it writes rollouts.
    ///
    /// Rounded to eight bits, its matrices lie beside their copy in the layout of products, and one
    /// after the other is held in float32; a cache for each sequence; the logits of one pass.
    public static func rolloutBytes(
        _ configuration: ModelConfiguration,
        isRounded: Bool,
        batch: Int,
        tokens: Int
    ) -> Int {
        let c = configuration
        let float = MemoryLayout<Float>.size
        let rounded = 2 * (c.parameterCount / 32 * 34) + c.vocabularySize * c.hiddenSize * float
        return (isRounded ? rounded : 0)
            + float * batch * (tokens * c.cachedValuesPerToken + c.vocabularySize)
    }

    /// What a teacher takes that is asked about micro-batches of `rows` tokens.
    ///
    /// Quantised weights are held in the layout of products, in as many bytes as their file's pages, which
    /// are let go; one layer's inner values are held at a time; the logits of a chunk are held beside the student's, whose copy for the
    /// cross-entropy beside a divergence is counted here too.
    public static func teacherBytes(
        _ configuration: ModelConfiguration,
        storedBytes: Int,
        rows: Int
    ) -> Int {
        let c = configuration
        let words = rows * (3 * c.intermediateSize + 4 * c.hiddenSize + 2 * c.attentionWidth)
        let logitRows = min(rows, Variable<Float>.headRowsAtOnce(vocabularySize: c.vocabularySize))
        return storedBytes
            + (words + 2 * logitRows * c.vocabularySize) * MemoryLayout<Float>.size
    }
}
