import Basics
import CKernels

/// Scalars of one AdamW step.
///
/// Source: Loshchilov & Hutter 2017, arXiv:1711.05101, algorithm 2, with the decay scaled by the
/// learning rate as PyTorch does.
public struct AdamWStep: Sendable, Equatable {
    /// Step length, η.
    public var learningRate: Double
    /// Decay of the first moment.
    public var beta1: Double
    /// Decay of the second moment.
    public var beta2: Double
    /// Added to the root of the second moment.
    public var epsilon: Double
    /// Decoupled decay λ: w is first scaled by 1 − ηλ.
    public var weightDecay: Double
    /// Factor of every gradient, for clipping and averaging.
    public var gradientScale: Double
    /// Number of this step, from 1, for bias correction.
    public var step: Int

    /// Describes a step.
    public init(
        learningRate: Double,
        beta1: Double = 0.9,
        beta2: Double = 0.999,
        epsilon: Double = 1e-8,
        weightDecay: Double = 0,
        gradientScale: Double = 1,
        step: Int
    ) {
        precondition(step >= 1, "AdamWStep: step \(step) counts from 1")
        self.learningRate = learningRate
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        self.weightDecay = weightDecay
        self.gradientScale = gradientScale
        self.step = step
    }
}

/// One fused AdamW pass; weights and both moments are updated in place.
public func adamW<S: KernelScalar>(
    _ step: AdamWStep,
    weights: Buffer<S>,
    gradients: Buffer<S>,
    moments: AdamWMoments<S>
) {
    let count = weights.count
    precondition(
        gradients.count == count && moments.count == count,
        "adamW: \(count) weights, \(gradients.count) gradients, \(moments.count) moments"
    )
    let scalars = ck_adamw(
        gradient_scale: step.gradientScale,
        beta1: step.beta1,
        beta2: step.beta2,
        epsilon: step.epsilon,
        decay: 1 - step.learningRate * step.weightDecay,
        rate: step.learningRate / (1 - Elementary.pow(step.beta1, Double(step.step))),
        root: 1 / (1 - Elementary.pow(step.beta2, Double(step.step))).squareRoot()
    )
    ThreadPool.forEach(count, grain: Grain.weights) { r in
        withUnsafePointer(to: scalars) { scalars in
            moments.update(r, step: step.step) { range, first, second in
                S.kernels.adamw(
                    scalars,
                    range.count,
                    weights.base + range.lowerBound,
                    gradients.base + range.lowerBound,
                    first,
                    second
                )
            }
        }
    }
}
