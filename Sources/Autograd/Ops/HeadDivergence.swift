import Kernels

/// Learning a teacher's next-token distribution, and beside it the tokens of a text.
public struct DistributionLoss: Sendable, Equatable {
    /// How far the student is from the teacher.
    public let divergence: Divergence
    /// What both models' logits are divided by in the divergence; the cross-entropy has 1.
    public let temperature: Double
    /// The factor of the divergence, from 0 to 1; the cross-entropy of the target has the rest.
    public let weight: Double

    /// Describes a loss.
    public init(_ divergence: Divergence, temperature: Double = 1, weight: Double = 1) {
        self.divergence = divergence
        self.temperature = temperature
        self.weight = weight
    }
}

/// The sums of which a `DistributionLoss` is made, each with the coefficients of its rows.
public struct DistributionLossParts: Sendable {
    /// Σ c · divergence.
    public fileprivate(set) var divergence = 0.0
    /// Σ c · cross-entropy; 0 where it neither has a weight nor is observed.
    public fileprivate(set) var crossEntropy = 0.0
}

/// What the student by itself says at some rows, at temperature 1.
public struct HeadObservation<Scalar: KernelScalar> {
    /// Which rows of `hidden` these are.
    public let rows: [Int32]
    /// -ln of the probability of each row's target, `[rows.count]`.
    public let surprisals: Buffer<Scalar>
    /// The entropy of each row's distribution in nats, `[rows.count]`.
    public let entropies: Buffer<Scalar>
}

extension Variable {
    /// Weighted sum over rows of a language-model head's divergence from a teacher and of the
    /// cross-entropy of its targets: Σ_r c[r] · (w · D(T_r, S_r) + (1 - w) · -ln S_r(target[r])).
    ///
    /// Logits are computed as `headLoss` says, only for rows that have a target; the teacher is asked
    /// for the same few rows.
    ///
    /// - Parameters:
    ///   - loss: The divergence, the temperature and the weight w.
    ///   - hidden: `[rows, inputs]`, the input of the head.
    ///   - head: `[vocabulary, inputs]`.
    ///   - targets: One id a row; negative where the row has no target.
    ///   - coefficients: One factor a row, such as 1 / all target tokens of the step.
    ///   - teacher: What the teacher says at some rows; may be asked twice.
    ///   - observe: Hears once of every row that has a target what the student says there.
    /// - Returns: The loss, shape `[1]`, and what it is made of.
    public static func headDivergence(
        _ loss: DistributionLoss,
        hidden: Variable,
        head: Weight<Scalar>,
        targets: [Int32],
        coefficients: [Scalar],
        teacher: @escaping (_ rows: [Int32]) -> TeacherRows<Scalar>,
        observe: ((HeadObservation<Scalar>) -> Void)? = nil
    ) -> (loss: Variable, parts: DistributionLossParts) {
        precondition(
            targets.count == hidden.value.rows && coefficients.count == targets.count,
            "headDivergence: \(targets.count) targets for \(hidden.value.rows) rows"
        )
        let rows = targets.indices.filter { targets[$0] >= 0 }
        var parts = DistributionLossParts()
        var isFirst = true
        let total = headLoss(
            "headDivergence",
            hidden: hidden,
            head: head,
            rows: rows.map(Int32.init),
            coefficients: rows.map { coefficients[$0] }
        ) { chunk in
            let sums = loss.apply(
                to: chunk,
                targets: chunk.rows.map { targets[Int($0)] },
                coefficients: chunk.rows.map { coefficients[Int($0)] },
                teacher: teacher(chunk.rows),
                observe: isFirst ? observe : nil
            )
            guard isFirst else { return }
            parts.divergence += sums.divergence
            parts.crossEntropy += sums.crossEntropy
        }
        // A backward sweep may ask for the chunks again.
        isFirst = false
        return (total, parts)
    }
}

extension DistributionLoss {
    /// Computes losses and gradients of a chunk.
    fileprivate func apply<Scalar: KernelScalar>(
        to chunk: HeadChunk<Scalar>,
        targets: [Int32],
        coefficients: [Scalar],
        teacher: TeacherRows<Scalar>,
        observe: ((HeadObservation<Scalar>) -> Void)?
    ) -> DistributionLossParts {
        let rows = targets.count
        let factors = Buffer(coefficients)
        func scaled(_ buffer: Buffer<Scalar>?, by factor: Double) -> Buffer<Scalar>? {
            guard let buffer, factor != 1 else { return buffer }
            let copy = Buffer<Scalar>(count: buffer.count)
            Kernels.scale(buffer, by: Scalar(factor), into: copy)
            return copy
        }
        func sum(_ losses: Buffer<Scalar>) -> Double {
            let products = Buffer<Scalar>(count: rows)
            Kernels.multiply(losses, factors, into: products)
            return Kernels.sum(products)
        }
        var parts = DistributionLossParts()
        let surprisals = Buffer<Scalar>(count: rows)
        let logSumExp = Buffer<Scalar>(count: rows)
        if weight < 1 || observe != nil {
            Kernels.crossEntropy(
                logits: chunk.logits,
                rows: rows,
                targets: targets,
                losses: surprisals,
                logSumExp: logSumExp
            )
            parts.crossEntropy = sum(surprisals)
        }
        if let observe {
            let entropies = Buffer<Scalar>(count: rows)
            Kernels.entropy(
                logits: chunk.logits,
                rows: rows,
                logSumExp: logSumExp,
                into: entropies
            )
            observe(
                HeadObservation(rows: chunk.rows, surprisals: surprisals, entropies: entropies)
            )
        }
        // The divergence overwrites the logits, so the cross-entropy has a copy of them.
        var likelihood: Buffer<Scalar>?
        if weight < 1 {
            let logits = Buffer<Scalar>(count: chunk.logits.count)
            logits.copy(from: chunk.logits)
            if let weights = scaled(chunk.weights, by: 1 - weight) {
                Kernels.crossEntropyBackward(
                    logits: logits,
                    rows: rows,
                    targets: targets,
                    logSumExp: logSumExp,
                    weights: weights
                )
            }
            likelihood = logits
        }
        Kernels.divergence(
            divergence,
            temperature: temperature,
            logits: chunk.logits,
            rows: rows,
            teacher: teacher,
            losses: chunk.losses,
            weights: scaled(chunk.weights, by: weight)
        )
        parts.divergence = sum(chunk.losses)
        guard let likelihood else { return parts }
        Kernels.scale(chunk.losses, by: Scalar(weight), into: chunk.losses)
        Kernels.accumulate(surprisals, scale: Scalar(1 - weight), into: chunk.losses)
        if chunk.weights != nil { Kernels.accumulate(likelihood, into: chunk.logits) }
        return parts
    }
}
