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
    ///
    /// `teacherBytes` is what a teacher takes beside the student; see `MemoryEstimate.teacherBytes`.
    public func estimate(
        _ configuration: ModelConfiguration,
        rows: Int,
        moments: NamedTensor.Storage,
        adapting: MemoryEstimate.Adapting? = nil,
        teacherBytes: Int = 0
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
        var estimate =
            switch self {
            case .auto:
                MemoryEstimate.choosing(
                    configuration,
                    rows: rows,
                    moments: moments,
                    adapting: adapting,
                    availableBytes: RunEnvironment.attainableMemoryBytes.map { $0 - teacherBytes }
                )
            case .none: estimate(.none)
            case .feedForward: estimate(.feedForward)
            case .layers: estimate(.layers)
            }
        estimate.teacherBytes = teacherBytes
        return estimate
    }
}
