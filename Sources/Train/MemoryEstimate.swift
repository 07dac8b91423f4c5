import Checkpoints
import Experiments
import Files
import Foundation
import Models

/// Memory that fine-tuning will take, computed from sizes: of all weights in float32, or of
/// adapters on stored weights.
struct MemoryEstimate {
    /// Weights, gradients and two moments; frozen weights as stored.
    let parameterBytes: Int
    /// Inner values kept for the backward pass of the largest micro-batch.
    let activationBytes: Int
    /// Logits of one chunk of rows, and their gradient.
    let logitBytes: Int

    var totalBytes: Int { parameterBytes + activationBytes + logitBytes + (200 << 20) }

    /// An estimate for micro-batches of `rows` tokens.
    init(
        _ configuration: ModelConfiguration,
        recomputesLayers: Bool,
        rows: Int,
        adapting: (lora: LoRA, storedBytes: Int)? = nil
    ) {
        let c = configuration
        let queries = c.queryHeadCount * c.headDimension
        let keys = c.keyValueHeadCount * c.headDimension
        // Values that the operations of one layer hold for one token: two norms and two sums of
        // the residual stream, the projections before and after norm and rotation, the attention's
        // output and log-sums, gate, up and their product.
        var layer = 4 * c.hiddenSize + 3 * queries + 3 * keys + c.queryHeadCount
        layer += (c.hasQueryKeyNorm ? queries + keys : 0) + 3 * c.intermediateSize
        // The backward pass holds gradients of about as much as one layer.
        let layers =
            recomputesLayers
            ? c.layerCount * c.hiddenSize + 2 * layer : (c.layerCount + 1) * layer
        let trained = adapting?.lora.parameterCount(c) ?? c.parameterCount
        parameterBytes = trained * 4 * MemoryLayout<Float>.size + (adapting?.storedBytes ?? 0)
        activationBytes = rows * (layers + 3 * c.hiddenSize) * MemoryLayout<Float>.size
        logitBytes = max(16 << 20, 16 * c.vocabularySize) * MemoryLayout<Float>.size
    }

    /// One line for people.
    var text: String {
        func gibibytes(_ bytes: Int) -> String {
            String(format: "%.2f GiB", Double(bytes) / Double(1 << 30))
        }
        return "memory: about \(gibibytes(totalBytes)) (weights, gradients and moments "
            + "\(gibibytes(parameterBytes)), activations \(gibibytes(activationBytes)), logits "
            + "\(gibibytes(logitBytes)))"
    }

    /// Says what training will take, and refuses what this machine does not have.
    ///
    /// - Throws: `Failure.configuration` with the numbers.
    func check(availableBytes: Int? = RunEnvironment.availableMemoryBytes) throws {
        if totalBytes > 1 << 30 { Notice.write(text) }
        guard let availableBytes, totalBytes > availableBytes else { return }
        throw Failure(
            .configuration,
            at: "training",
            text + "; available are " + String(format: "%.2f GiB", Double(availableBytes) / 0x1p30),
            remedy: "Lower training.microBatchTokens or training.maxLength, set "
                + "training.recompute: true, or take a smaller student."
        )
    }
}

/// A line of information beside the progress line.
enum Notice {
    static func write(_ text: String) { FileHandle.standardError.write(Data((text + "\n").utf8)) }
}
