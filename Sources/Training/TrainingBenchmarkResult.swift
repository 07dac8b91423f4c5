import Autograd
import Basics
import Checkpoints
import Experiments
import Foundation
import Kernels
import Models

/// How fast a training step was, and where its time went.
public struct TrainingBenchmarkResult {
    /// One step by part, in seconds.
    struct Timing {
        let forward: Double
        let backward: Double
        let optimizer: Double
        let loss: Float
        let pageFaults: Int
        let profile: OperationProfile

        var seconds: Double { forward + backward + optimizer }
    }

    let name: String
    let lengths: [Int]
    let arithmetic: ProductArithmetic
    let step: Timing
    let memory: MemoryEstimate
    let moments: NamedTensor.Storage
    /// Operations a second of the matrix products.
    let productRate: Double
    let peakBytes: Int

    private var rows: Int { lengths.reduce(0, +) }

    /// All of it, for a program.
    public var json: JSON {
        [
            "tokens_per_second": .number(Double(rows) / step.seconds),
            "step_seconds": .number(step.seconds),
            "peak_rss_bytes": .integer(peakBytes),
            "loss": .number(step.loss), "shape": .string(name),
            "sequence": .integer(lengths.max() ?? 0),
            "batch": .integer(lengths.count), "tokens": .integer(rows),
            "forward_seconds": .number(step.forward),
            "backward_seconds": .number(step.backward),
            "optimizer_seconds": .number(step.optimizer),
            "page_faults": .integer(step.pageFaults),
            "product_gflops": .number((productRate / 1e8).rounded() / 10),
            "estimated_bytes": .integer(memory.totalBytes),
            "recompute": .string(memory.recomputation.rawValue),
            "moments": .string(moments.rawValue),
            "products": .string(arithmetic.rawValue),
            "operations": .array(step.profile.rows.map(\.json)),
            "threads": .integer(ThreadPool.threadCount),
            "instruction_set": .string(CPU.instructionSet),
            "openblas_core": .string(CPU.openBLASCore),
        ]
    }

    /// All of it, for a person: one line, and one more for each operation that takes time.
    public var text: String {
        var text =
            String(
                format: "%@, %d x %d tokens: %.1f tokens/s, %.2f s a step (forward %.2f, backward "
                    + "%.2f, optimizer %.2f), products %.0f GFLOP/s (%@), peak %.2f GB "
                    + "(estimate %.2f, recomputing %@), loss %.3f",
                name,
                lengths.count,
                lengths.max() ?? 0,
                Double(rows) / step.seconds,
                step.seconds,
                step.forward,
                step.backward,
                step.optimizer,
                productRate / 1e9,
                arithmetic.rawValue,
                Double(peakBytes) / 1e9,
                Double(memory.totalBytes) / 1e9,
                memory.recomputation.rawValue,
                step.loss
            ) + "\n"
        for row in step.profile.rows where row.seconds > step.seconds / 1000 {
            text +=
                String(
                    format: "%7.3f s  %4.1f %%  %5d x  %@ %@",
                    row.seconds,
                    100 * row.seconds / step.seconds,
                    row.count,
                    row.direction.rawValue,
                    row.operation
                ) + "\n"
        }
        return text
    }
}

extension OperationProfile.Row {
    fileprivate var json: JSON {
        [
            "operation": .string(operation), "direction": .string(direction.rawValue),
            "seconds": .number((seconds * 1e4).rounded() / 1e4), "count": .integer(count),
        ]
    }
}
