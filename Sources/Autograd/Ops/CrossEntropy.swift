import Kernels

extension Variable {
    /// Weighted sum of the cross-entropies of a language-model head: Σ_r c[r] · −log p(target[r]),
    /// with p = softmax(h[r] Wᵀ).
    ///
    /// Logits are computed as `headLoss` says, only for rows that have a target.
    ///
    /// - Parameters:
    ///   - hidden: `[rows, inputs]`, the input of the head.
    ///   - head: `[vocabulary, inputs]`.
    ///   - targets: One id a row; negative where the row has no target.
    ///   - coefficients: One factor a row, such as 1 / all target tokens of the step.
    /// - Returns: Shape `[1]`.
    public static func headCrossEntropy(
        hidden: Variable,
        head: Weight<Scalar>,
        targets: [Int32],
        coefficients: [Scalar]
    ) -> Variable {
        precondition(
            targets.count == hidden.value.rows && coefficients.count == targets.count,
            "headCrossEntropy: \(targets.count) targets for \(hidden.value.rows) rows"
        )
        let rows = targets.indices.filter { targets[$0] >= 0 }
        return headLoss(
            "headCrossEntropy",
            hidden: hidden,
            head: head,
            rows: rows.map(Int32.init),
            coefficients: rows.map { coefficients[$0] }
        ) { chunk in
            let ids = chunk.rows.map { targets[Int($0)] }
            let logSumExp = Buffer<Scalar>(count: ids.count)
            Kernels.crossEntropy(
                logits: chunk.logits,
                rows: ids.count,
                targets: ids,
                losses: chunk.losses,
                logSumExp: logSumExp
            )
            guard let weights = chunk.weights else { return }
            Kernels.crossEntropyBackward(
                logits: chunk.logits,
                rows: ids.count,
                targets: ids,
                logSumExp: logSumExp,
                weights: weights
            )
        }
    }

    /// Cross-entropy of logits that exist whole, for small vocabularies: the weighted sum
    /// Σ_r c[r] · −log softmax(x[r])[target[r]].
    ///
    /// - Precondition: the receiver is `[rows, classes]`.
    /// - Returns: Shape `[1]`.
    public func crossEntropy(targets: [Int32], coefficients: [Scalar]) -> Variable {
        let (x, rows) = (saved, value.rows)
        precondition(
            targets.count == rows && coefficients.count == rows,
            "crossEntropy: \(targets.count) targets for \(rows) rows"
        )
        let losses = Buffer<Scalar>(count: rows)
        let logSumExp = Buffer<Scalar>(count: rows)
        Kernels.crossEntropy(
            logits: value.buffer,
            rows: rows,
            targets: targets,
            losses: losses,
            logSumExp: logSumExp
        )
        Kernels.multiply(losses, Buffer(coefficients), into: losses)
        let total = Tensor([Scalar(Kernels.sum(losses))], shape: [1])
        return .recorded("crossEntropy", inputs: [self], value: total) { g, gradients in
            // ∂x[r] = c[r] · (softmax(x[r]) − onehot(target[r]))
            let d = Tensor<Scalar>(uninitialized: x.tensor.shape)
            d.buffer.copy(from: x.tensor.buffer)
            Kernels.crossEntropyBackward(
                logits: d.buffer,
                rows: rows,
                targets: targets,
                logSumExp: logSumExp,
                weights: Buffer(coefficients.map { $0 * g.item })
            )
            gradients.add(d, to: 0)
        }
    }
}
