import Basics
import Checkpoints
import Foundation
import Models

extension MemoryEstimate {
    /// Refuses what this machine does not have.
    ///
    /// - Throws: `Failure.configuration` with the numbers.
    public func check(availableBytes: Int? = RunEnvironment.attainableMemoryBytes) throws {
        guard let availableBytes, totalBytes > availableBytes else { return }
        throw Failure(
            .configuration,
            at: "training",
            text + "; available are " + String(format: "%.2f GB", Double(availableBytes) / 1e9),
            remedy: "Lower training.microBatchTokens or training.maxLength, set "
                + "training.recompute: layers or training.moments: bfloat16, or take a smaller "
                + "student."
        )
    }
}

extension TrainingSettings.Recompute {
    /// The estimate under this setting.
    public func estimate(
        _ configuration: ModelConfiguration,
        rows: Int,
        moments: NamedTensor.Storage,
        adapting: MemoryEstimate.Adapting? = nil
    ) -> MemoryEstimate {
        let recomputation: Recomputation
        switch self {
        case .auto:
            return .choosing(
                configuration,
                rows: rows,
                moments: moments,
                adapting: adapting,
                availableBytes: RunEnvironment.attainableMemoryBytes
            )
        case .none: recomputation = .none
        case .feedForward: recomputation = .feedForward
        case .layers: recomputation = .layers
        }
        return MemoryEstimate(
            configuration,
            recomputation: recomputation,
            rows: rows,
            moments: moments,
            adapting: adapting
        )
    }
}
