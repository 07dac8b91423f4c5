import Basics
import Checkpoints
import Foundation

/// What a report says about a model: which one it is, and how large.
public struct ModelSummary: Sendable, Equatable {
    /// The name of its file or folder; nil for a model that is trained from random weights.
    public var path: String?
    /// SHA-256 of the file or folder, in hexadecimal; nil where it is not there.
    public var digest: String?
    /// Weights; nil where neither the file nor its shape is known.
    public var parameterCount: Int?
    /// How it is trained from random weights; nil for a model that exists already.
    public var scratch: ScratchModel?
}

extension RunLayout {
    /// What is known of the teacher or the student; nil where the experiment has none.
    public func summary(of role: ModelRole) -> ModelSummary? {
        switch try? source(role) {
        case .scratch(let scratch)?:
            return ModelSummary(parameterCount: scratch.shape.parameterCount, scratch: scratch)
        case .path(let model)?:
            let isThere = FileManager.default.fileExists(atPath: model.path)
            let tensors = isThere ? (try? ModelFiles.open(model.path))?.source.tensors : nil
            return ModelSummary(
                path: RunEnvironment.relative(model.path),
                digest: isThere ? try? digests.digest(of: model.path) : nil,
                parameterCount: tensors.map { $0.values.reduce(0) { $0 + $1.count } }
                    ?? model.shape?.parameterCount
            )
        case nil: return nil
        }
    }
}
