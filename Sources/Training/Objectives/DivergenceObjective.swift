import Autograd
import Basics
import Kernels
import Models

/// Learning a teacher's next-token distributions along the examples, with or without the examples'
/// own tokens.
public struct DivergenceObjective: Objective {
    private let loss: DistributionLoss
    private let teacher: any TeacherDistributions
    private let observesRollouts: Bool

    /// Learns from a teacher.
    ///
    /// - Parameters:
    ///   - loss: How far the student is from the teacher.
    ///   - teacher: The teacher.
    ///   - observesRollouts: Whether the metrics also tell of the student itself at the target tokens:
    ///     its entropy, and how far it is from the sampler that drew them.
    public init(
        _ loss: DistributionLoss,
        from teacher: any TeacherDistributions,
        observesRollouts: Bool = false
    ) {
        self.loss = loss
        self.teacher = teacher
        self.observesRollouts = observesRollouts
    }

    /// Σ over rows of coefficient · (w · divergence + (1 - w) · cross-entropy).
    ///
    /// The two by themselves are reported where both have a weight; of a teacher that is asked, the
    /// tokens that it read and the seconds that it took.
    public func loss(
        of batch: MicroBatch,
        under model: Transformer<Float>,
        on tape: Tape<Float>
    ) throws -> ObjectiveLoss {
        var teacherTime = Duration.zero
        func timed<T>(_ body: () throws -> T) rethrows -> T {
            let start = ContinuousClock.now
            defer { teacherTime += ContinuousClock.now - start }
            return try body()
        }
        let distributions = try timed { try teacher.distributions(along: batch) }
        let (tokens, coefficients) = (batch.tokens, batch.coefficients)
        var rollouts = observesRollouts ? RolloutObservation(batch, coefficients) : nil
        let (total, parts) = Variable.headDivergence(
            loss,
            hidden: model.hidden(tokens, on: tape),
            head: model.head(on: tape),
            targets: batch.targets,
            coefficients: coefficients,
            teacher: { rows in timed { distributions(rows) } },
            observe: observesRollouts ? { rollouts?.add($0) } : nil
        )
        var metrics: [(name: String, value: Double)] = []
        if loss.weight < 1 || observesRollouts {
            metrics.append(("divergence", parts.divergence))
        }
        if loss.weight < 1 { metrics.append(("cross_entropy", parts.crossEntropy)) }
        if let rollouts {
            metrics += [("entropy", rollouts.entropy), ("sampler_kl", rollouts.samplerDivergence)]
        }
        if teacher.isAsked {
            metrics += [
                ("teacher_tokens", Double(tokens.tokens.count)),
                ("teacher_seconds", teacherTime / .seconds(1)),
            ]
        }
        return ObjectiveLoss(total, metrics: metrics)
    }
}

/// What a student says by itself along rollouts of an earlier or a rounded self, the sampler.
private struct RolloutObservation {
    /// Σ c · entropy of the student's distribution.
    private(set) var entropy = 0.0
    /// Σ c · (r - 1 - ln r), r being the student's probability of the drawn token over the sampler's; 0
    /// for a target that the sampler has not drawn.
    ///
    /// Its mean over tokens drawn from the sampler is KL(sampler, student), and no term is negative
    /// (Schulman 2020, "Approximating KL divergence", estimator k3). The student's probability counts the
    /// rows of padding of its head, the sampler's does not.
    private(set) var samplerDivergence = 0.0
    private let coefficients: [Float]
    /// ln of the probability that each row's target was drawn with; NaN for other texts.
    private let drawn: [Double]

    init(_ batch: MicroBatch, _ coefficients: [Float]) {
        self.coefficients = coefficients
        drawn = batch.examples.flatMap { example -> [Double] in
            let prompt = [Double](repeating: .nan, count: example.promptCount - 1)
            let count = example.ids.count - example.promptCount
            guard let drawn = example.drawnProbabilities else {
                return prompt + [Double](repeating: .nan, count: count)
            }
            return prompt + drawn.prefix(count).map { Elementary.log(Double($0)) }
        }
    }

    mutating func add(_ chunk: HeadObservation<Float>) {
        for (place, row) in chunk.rows.enumerated() {
            let coefficient = Double(coefficients[Int(row)])
            entropy += coefficient * Double(chunk.entropies[place])
            let difference = -Double(chunk.surprisals[place]) - drawn[Int(row)]
            guard difference.isFinite else { continue }
            samplerDivergence += coefficient * (Elementary.exp(difference) - 1 - difference)
        }
    }
}
