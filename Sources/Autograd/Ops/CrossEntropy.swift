import Kernels

extension Variable {
    /// Weighted sum of the cross-entropies of a language-model head: Σ_r c[r] · −log p(target[r]),
    /// with p = softmax(h[r] Wᵀ).
    ///
    /// Logits exist for a chunk of rows at a time, never whole, and only for rows that have a
    /// target; the backward pass computes them again.
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
        let rows = targets.indices.filter { targets[$0] >= 0 }
        precondition(
            targets.count == hidden.value.rows && coefficients.count == targets.count,
            "headCrossEntropy: \(targets.count) targets for \(hidden.value.rows) rows"
        )
        let chunks = HeadChunks(
            hidden: hidden.value,
            head: head,
            rows: rows.map(Int32.init),
            targets: rows.map { targets[$0] },
            coefficients: rows.map { coefficients[$0] }
        )
        let loss = chunks.loss()
        let weight: Variable? = if case .dense(let weight) = head { weight } else { nil }
        return recorded(
            "headCrossEntropy",
            inputs: [hidden] + (weight.map { [$0] } ?? []),
            value: Tensor([loss.sum], shape: [1])
        ) { g, gradients in
            chunks.backward(
                logSumExp: loss.logSumExp,
                upstream: g.item,
                hiddenGradient: gradients.accumulator(0),
                headGradient: weight == nil ? nil : gradients.accumulator(1)
            )
        }
    }

    /// Cross-entropy of logits that exist whole, for small vocabularies: the weighted sum
    /// Σ_r c[r] · −log softmax(x[r])[target[r]].
    ///
    /// - Precondition: the receiver is `[rows, classes]`.
    /// - Returns: Shape `[1]`.
    public func crossEntropy(targets: [Int32], coefficients: [Scalar]) -> Variable {
        let (x, rows) = (value, value.rows)
        precondition(
            targets.count == rows && coefficients.count == rows,
            "crossEntropy: \(targets.count) targets for \(rows) rows"
        )
        let losses = Buffer<Scalar>(count: rows)
        let logSumExp = Buffer<Scalar>(count: rows)
        Kernels.crossEntropy(
            logits: x.buffer,
            rows: rows,
            targets: targets,
            losses: losses,
            logSumExp: logSumExp
        )
        Kernels.multiply(losses, Buffer(coefficients), into: losses)
        let total = Tensor([Scalar(Kernels.sum(losses))], shape: [1])
        return .recorded("crossEntropy", inputs: [self], value: total) { g, gradients in
            // ∂x[r] = c[r] · (softmax(x[r]) − onehot(target[r]))
            let d = Tensor<Scalar>(uninitialized: x.shape)
            d.buffer.copy(from: x.buffer)
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

/// The rows of a head that have targets, processed a few at a time.
private struct HeadChunks<Scalar: KernelScalar> {
    let hidden: Tensor<Scalar>
    let head: Weight<Scalar>
    let rows: [Int32]
    let targets: [Int32]
    let coefficients: [Scalar]

    /// Logits of one chunk take at most 64 MiB in float32, unless 16 rows take more.
    private var chunkSize: Int { max(16, (16 << 20) / max(1, head.outputs)) }

    /// Calls `body` with each chunk's range of `rows`, its hidden rows and its logits.
    private func forEachChunk(
        _ body: (Range<Int>, Tensor<Scalar>, Buffer<Scalar>) -> Void
    ) {
        let inputs = hidden.columns
        for start in stride(from: 0, to: rows.count, by: chunkSize) {
            let range = start..<min(start + chunkSize, rows.count)
            let x = Tensor<Scalar>(uninitialized: [range.count, inputs])
            gatherRows(hidden.buffer, columns: inputs, ids: Array(rows[range]), into: x.buffer)
            let logits = Buffer<Scalar>(count: range.count * head.outputs)
            switch head {
            case .dense(let weight):
                gemm(
                    x.buffer,
                    weight.value.buffer,
                    transposeB: true,
                    into: logits,
                    m: range.count,
                    n: head.outputs,
                    k: inputs
                )
            case .stored(let matrix):
                Kernels.linear(
                    x.buffer,
                    rows: range.count,
                    weight: matrix,
                    bias: nil,
                    into: logits
                )
            }
            body(range, x, logits)
        }
    }

    func loss() -> (sum: Scalar, logSumExp: Buffer<Scalar>) {
        let losses = Buffer<Scalar>(count: rows.count)
        let logSumExp = Buffer<Scalar>(count: rows.count)
        forEachChunk { range, _, logits in
            Kernels.crossEntropy(
                logits: logits,
                rows: range.count,
                targets: Array(targets[range]),
                losses: losses[range],
                logSumExp: logSumExp[range]
            )
        }
        Kernels.multiply(losses, Buffer(coefficients), into: losses)
        return (Scalar(Kernels.sum(losses)), logSumExp)
    }

    func backward(
        logSumExp: Buffer<Scalar>,
        upstream: Scalar,
        hiddenGradient: Buffer<Scalar>?,
        headGradient: Buffer<Scalar>?
    ) {
        let inputs = hidden.columns
        forEachChunk { range, x, logits in
            Kernels.crossEntropyBackward(
                logits: logits,
                rows: range.count,
                targets: Array(targets[range]),
                logSumExp: logSumExp[range],
                weights: Buffer(coefficients[range].map { $0 * upstream })
            )
            if let headGradient {
                gemm(
                    logits,
                    transposeA: true,
                    x.buffer,
                    into: headGradient,
                    m: head.outputs,
                    n: inputs,
                    k: range.count,
                    beta: 1
                )
            }
            guard let hiddenGradient else { return }
            let dx = Buffer<Scalar>.zeros(range.count * inputs)
            switch head {
            case .dense(let weight):
                gemm(
                    logits,
                    weight.value.buffer,
                    into: dx,
                    m: range.count,
                    n: inputs,
                    k: head.outputs
                )
            case .stored(let matrix):
                linearInputGradient(logits, rows: range.count, weight: matrix, into: dx)
            }
            scatterAddRows(dx, columns: inputs, ids: Array(rows[range]), into: hiddenGradient)
        }
    }
}
