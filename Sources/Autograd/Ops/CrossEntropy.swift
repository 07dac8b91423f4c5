import Kernels

extension Variable {
    /// Weighted sum of the cross-entropies of a language-model head: Σ_r c[r] · −log p(target[r]),
    /// with p = softmax(h[r] Wᵀ).
    ///
    /// Logits exist for a chunk of rows at a time, never whole, only for rows that have a target,
    /// and are computed once: recorded, the forward pass turns each chunk of logits into its
    /// gradients at once, as for an upstream gradient of 1, which a loss has. The head's gradient is
    /// added right then, so a recorded loss has to be followed by one backward sweep; an upstream
    /// gradient other than 1 costs the chunks a second time.
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
            hidden: hidden.saved,
            columns: hidden.value.columns,
            head: head,
            rows: rows.map(Int32.init),
            targets: rows.map { targets[$0] },
            coefficients: rows.map { coefficients[$0] }
        )
        let weight: Variable? = if case .dense(let weight) = head { weight } else { nil }
        let inputs = [hidden] + (weight.map { [$0] } ?? [])
        let now = inputs.lazy.compactMap(\.tape).first.map {
            Gradients(tape: $0, inputs: inputs.map(\.entry), upstream: Tensor([1], shape: [1]))
        }
        let hiddenGradient =
            hidden.isRecorded
            ? Tensor<Scalar>(uninitialized: [rows.count, hidden.value.columns]) : nil
        let loss = chunks.run(
            upstream: 1,
            hiddenGradient: hiddenGradient,
            headGradient: weight.flatMap { _ in { now?.destination(1) } }
        )
        return recorded("headCrossEntropy", inputs: inputs, value: Tensor([loss], shape: [1])) {
            g,
            gradients in
            if let hiddenGradient {
                chunks.addToRows(hiddenGradient, scale: g.item, gradients)
            }
            guard g.item != 1, weight != nil else { return }
            _ = chunks.run(
                upstream: g.item - 1,
                hiddenGradient: nil,
                headGradient: { gradients.destination(1) }
            )
        }
    }

    /// The most rows of which `headCrossEntropy` holds logits at once: 160 MiB in float32, unless 16
    /// rows take more.
    public static func headRowsAtOnce(vocabularySize: Int) -> Int {
        max(16, (40 << 20) / max(1, vocabularySize))
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

/// The rows of a head that have targets, processed a few at a time.
private struct HeadChunks<Scalar: KernelScalar> {
    let hidden: Saved<Scalar>
    let columns: Int
    let head: Weight<Scalar>
    let rows: [Int32]
    let targets: [Int32]
    let coefficients: [Scalar]

    /// Equal chunks of at most `headRowsAtOnce`.
    ///
    /// A product over some 250 rows comes within a few per cent of one over all.
    private var chunkSize: Int {
        let most = Variable<Scalar>.headRowsAtOnce(vocabularySize: head.outputs)
        let count = max(1, (rows.count + most - 1) / most)
        return max(1, (rows.count + count - 1) / count)
    }

    /// Computes the loss and, where a destination is given, the gradients at once.
    ///
    /// - Parameters:
    ///   - upstream: ∂L/∂loss.
    ///   - hiddenGradient: `[rows with a target, inputs]`, overwritten.
    ///   - headGradient: Where to add the head's, and the factor of what it held.
    /// - Returns: The loss, not multiplied by `upstream`.
    func run(
        upstream: Scalar,
        hiddenGradient: Tensor<Scalar>?,
        headGradient: (() -> (buffer: Buffer<Scalar>, beta: Scalar)?)?
    ) -> Scalar {
        let losses = Buffer<Scalar>(count: rows.count)
        for start in stride(from: 0, to: rows.count, by: chunkSize) {
            let range = start..<min(start + chunkSize, rows.count)
            let x = Tensor<Scalar>(uninitialized: [range.count, columns])
            let ids = Array(targets[range])
            gatherRows(
                hidden.tensor.buffer,
                columns: columns,
                ids: Array(rows[range]),
                into: x.buffer
            )
            let logits = logits(x, isTraining: hiddenGradient != nil)
            let logSumExp = Buffer<Scalar>(count: range.count)
            Kernels.crossEntropy(
                logits: logits,
                rows: range.count,
                targets: ids,
                losses: losses[range],
                logSumExp: logSumExp
            )
            let head = headGradient?()
            guard hiddenGradient != nil || head != nil else { continue }
            Kernels.crossEntropyBackward(
                logits: logits,
                rows: range.count,
                targets: ids,
                logSumExp: logSumExp,
                weights: Buffer(coefficients[range].map { $0 * upstream })
            )
            if let hiddenGradient { backward(logits, into: hiddenGradient.rows(range)) }
            guard let (buffer, beta) = head else { continue }
            gemm(
                logits,
                transposeA: true,
                x.buffer,
                into: buffer,
                m: self.head.outputs,
                n: x.columns,
                k: range.count,
                beta: beta
            )
        }
        Kernels.multiply(losses, Buffer(coefficients), into: losses)
        return Scalar(Kernels.sum(losses))
    }

    private func logits(_ x: Tensor<Scalar>, isTraining: Bool) -> Buffer<Scalar> {
        let logits = Buffer<Scalar>(count: x.rows * head.outputs)
        switch head {
        case .dense(let weight):
            gemm(
                x.buffer,
                weight.value.buffer,
                transposeB: true,
                into: logits,
                m: x.rows,
                n: head.outputs,
                k: x.columns
            )
        case .stored(let matrix):
            if isTraining {
                linearByPanels(x.buffer, rows: x.rows, weight: matrix, bias: nil, into: logits)
            } else {
                Kernels.linear(x.buffer, rows: x.rows, weight: matrix, bias: nil, into: logits)
            }
        }
        return logits
    }

    /// ∂x = g W for the gradient `g` of a chunk's logits.
    private func backward(_ g: Buffer<Scalar>, into dx: Tensor<Scalar>) {
        switch head {
        case .dense(let weight):
            gemm(
                g,
                weight.value.buffer,
                into: dx.buffer,
                m: dx.rows,
                n: dx.columns,
                k: head.outputs
            )
        case .stored(let matrix):
            linearInputGradient(g, rows: dx.rows, weight: matrix, into: dx.buffer, beta: 0)
        }
    }

    /// Adds the gradients of the rows with a target to those of all rows, input 0.
    func addToRows(_ dx: Tensor<Scalar>, scale: Scalar, _ gradients: Gradients<Scalar>) {
        guard let all = gradients.accumulator(0) else { return }
        if scale != 1 { Kernels.scale(dx.buffer, by: scale, into: dx.buffer) }
        scatterAddRows(dx.buffer, columns: dx.columns, ids: rows, into: all)
    }
}
