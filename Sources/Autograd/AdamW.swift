import Basics
import Kernels

/// AdamW: Adam with weight decay decoupled from the gradient.
///
///     m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
///     w ← w − η λ w − η · (m / (1 − β₁ᵗ)) / (√(v / (1 − β₂ᵗ)) + ε)
///
/// Decay applies to matrices only. Values, gradients and both moments of all parameters lie in
/// four flat buffers, so a step is one pass over contiguous memory.
/// Source: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2.
public final class AdamW<Scalar: KernelScalar> {
    /// What stays the same over a run.
    public struct Configuration: Sendable {
        /// Decay rate of the mean of gradients.
        public var beta1: Double
        /// Decay rate of the mean of squared gradients.
        public var beta2: Double
        /// Added to the root of the second moment.
        public var epsilon: Double
        /// Decay per step and unit of learning rate.
        public var weightDecay: Double
        /// Gradients longer than this are scaled down to it; infinite for no clipping.
        public var maximumGradientNorm: Double
        /// Keeps moments in bfloat16; see `AdamWMoments`.
        public var bfloat16Moments: Bool

        /// The s1 recipe's values, unless given.
        public init(
            beta1: Double = 0.9,
            beta2: Double = 0.95,
            epsilon: Double = 1e-8,
            weightDecay: Double = 1e-4,
            maximumGradientNorm: Double = 1,
            bfloat16Moments: Bool = false
        ) {
            self.beta1 = beta1
            self.beta2 = beta2
            self.epsilon = epsilon
            self.weightDecay = weightDecay
            self.maximumGradientNorm = maximumGradientNorm
            self.bfloat16Moments = bfloat16Moments
        }
    }

    /// The settings given at the start.
    public let configuration: Configuration
    /// The parameters, decayed ones first.
    public let parameters: [Parameter<Scalar>]
    /// Steps taken so far.
    public private(set) var stepCount = 0

    private let values: Buffer<Scalar>
    private let gradients: Buffer<Scalar>
    private let moments: AdamWMoments<Scalar>
    private let decayedCount: Int
    /// Where each parameter lies in the flat buffers.
    private let ranges: [Range<Int>]

    /// Moves the parameters' values into flat memory and starts accumulating their gradients.
    public init(_ parameters: [Parameter<Scalar>], configuration: Configuration = .init()) {
        self.configuration = configuration
        self.parameters = parameters.filter(\.isDecayed) + parameters.filter { !$0.isDecayed }
        let count = parameters.reduce(0) { $0 + $1.value.count }
        decayedCount = parameters.reduce(0) { $0 + ($1.isDecayed ? $1.value.count : 0) }
        var start = 0
        ranges = self.parameters.map { parameter in
            defer { start += parameter.value.count }
            return start..<start + parameter.value.count
        }
        // Each parameter's old memory is free for the gradients before they are allocated.
        values = Buffer(count: count)
        for (parameter, range) in zip(self.parameters, ranges) {
            values[range].copy(from: parameter.value.buffer)
            parameter.value = Tensor(values[range], shape: parameter.value.shape)
        }
        gradients = Buffer(count: count)
        for (parameter, range) in zip(self.parameters, ranges) {
            parameter.accumulate(in: Tensor(gradients[range], shape: parameter.value.shape))
        }
        moments = AdamWMoments(count: count, bfloat16: configuration.bfloat16Moments)
    }

    /// Euclidean length of all gradients together, summed in float64; not finite when any of them
    /// is not.
    public func gradientNorm() -> Double {
        for parameter in parameters { parameter.settle() }
        return sumOfSquares(gradients).squareRoot()
    }

    /// Applies the accumulated gradients and clears them.
    ///
    /// - Parameters:
    ///   - learningRate: η of this step.
    ///   - gradientNorm: What `gradientNorm()` returned; finite.
    public func step(learningRate: Double, gradientNorm: Double) {
        precondition(gradientNorm.isFinite, "AdamW: the gradient norm is \(gradientNorm)")
        stepCount += 1
        let clip = min(1, configuration.maximumGradientNorm / max(gradientNorm, 1e-12))
        for (range, decay) in [
            (0..<decayedCount, configuration.weightDecay), (decayedCount..<values.count, 0),
        ] where !range.isEmpty {
            adamW(
                AdamWStep(
                    learningRate: learningRate,
                    beta1: configuration.beta1,
                    beta2: configuration.beta2,
                    epsilon: configuration.epsilon,
                    weightDecay: decay,
                    gradientScale: clip,
                    step: stepCount
                ),
                weights: values[range],
                gradients: gradients[range],
                moments: moments[range]
            )
        }
        clearGradients()
    }

    /// Forgets the gradients accumulated since the last step; the next contributions overwrite
    /// them.
    public func clearGradients() {
        for parameter in parameters { parameter.clearGradient() }
    }

    /// Each parameter with its moments, which share memory with the optimizer.
    public var state: [(parameter: Parameter<Scalar>, moments: AdamWMoments<Scalar>)] {
        zip(parameters, ranges).map { ($0, moments[$1]) }
    }

    /// Continues from saved moments, already restored through `state`.
    public func resume(atStep step: Int) { stepCount = step }
}

/// Learning rate that rises linearly and falls along half a cosine.
///
/// Step s of W warm-up steps, counted from 0, has (s + 1) / W of the peak: the first step already
/// learns, and so does a run of a single step.
///
/// Source: Loshchilov & Hutter 2017, arXiv:1608.03983, eq. 5, without restarts.
public struct CosineSchedule: Sendable {
    /// The highest learning rate.
    public let peak: Double
    /// The learning rate that the cosine falls to.
    public let final: Double
    /// Steps of linear rise.
    public let warmupSteps: Int
    /// Steps of the whole run.
    public let totalSteps: Int

    /// A schedule over `totalSteps` steps.
    public init(peak: Double, final: Double = 0, warmupSteps: Int, totalSteps: Int) {
        self.peak = peak
        self.final = final
        self.warmupSteps = warmupSteps
        self.totalSteps = totalSteps
    }

    /// The learning rate of step `step`, counted from 0.
    public func learningRate(at step: Int) -> Double {
        if step < warmupSteps { return peak * Double(step + 1) / Double(warmupSteps) }
        let progress = Double(step - warmupSteps) / Double(max(1, totalSteps - warmupSteps))
        return final + (peak - final) * 0.5 * (1 + Elementary.cos(.pi * min(1, progress)))
    }
}
