import Kernels

/// A few rows of a language-model head's logits, as the loss of a row sees them.
public struct HeadChunk<Scalar: KernelScalar> {
    /// Which rows of `hidden` these are.
    public let rows: [Int32]
    /// `[rows.count, vocabulary]`; where gradients are wanted, to be overwritten by those of the
    /// losses, times `weights`.
    public let logits: Buffer<Scalar>
    /// `[rows.count]`, to be overwritten by the loss of each row.
    public let losses: Buffer<Scalar>
    /// `[rows.count]`, the factor of each row's gradient; nil where none is wanted.
    public let weights: Buffer<Scalar>?
}

extension Variable {
    /// Weighted sum of a loss of a language-model head's logits: Σ_r c[r] · loss(h[r] Wᵀ).
    ///
    /// Logits exist for a chunk of rows at a time, never whole, and are computed once: recorded, the
    /// forward pass turns each chunk of logits into its gradients at once, as for an upstream gradient
    /// of 1, which a loss has. The head's gradient is added right then, so a recorded loss has to be
    /// followed by one backward sweep; an upstream gradient other than 1 costs the chunks a second
    /// time.
    ///
    /// - Parameters:
    ///   - name: Name of the operation, for messages and profiles.
    ///   - hidden: `[all rows, inputs]`, the input of the head.
    ///   - head: `[vocabulary, inputs]`.
    ///   - rows: The rows of `hidden` that have a loss.
    ///   - coefficients: One factor for each of `rows`, such as 1 / all target tokens of the step.
    ///   - loss: Computes losses and gradients of a chunk; may be asked for one twice.
    /// - Returns: Shape `[1]`.
    public static func headLoss(
        _ name: StaticString,
        hidden: Variable,
        head: Weight<Scalar>,
        rows: [Int32],
        coefficients: [Scalar],
        loss: @escaping (HeadChunk<Scalar>) -> Void
    ) -> Variable {
        let chunks = HeadChunks(
            hidden: hidden.saved,
            columns: hidden.value.columns,
            head: head,
            rows: rows,
            coefficients: coefficients,
            arithmetic: [hidden].arithmetic(),
            loss: loss
        )
        let weight: Variable? = if case .dense(let weight) = head { weight } else { nil }
        let inputs = [hidden] + (weight.map { [$0] } ?? [])
        let now = inputs.lazy.compactMap(\.tape).first.map {
            Gradients(tape: $0, inputs: inputs.map(\.entry), upstream: Tensor([1], shape: [1]))
        }
        let hiddenGradient =
            hidden.isRecorded
            ? Tensor<Scalar>(uninitialized: [rows.count, hidden.value.columns]) : nil
        let total = chunks.run(
            upstream: 1,
            hiddenGradient: hiddenGradient,
            headGradient: weight.flatMap { _ in { now?.destination(1) } }
        )
        return recorded(name, inputs: inputs, value: Tensor([total], shape: [1])) {
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
}

extension Variable {
    /// The most rows of which a loss over a head holds logits at once: 160 MiB in float32, unless 16
    /// rows take more.
    public static func headRowsAtOnce(vocabularySize: Int) -> Int {
        max(16, (40 << 20) / max(1, vocabularySize))
    }
}

/// The rows of a head that have a loss, processed a few at a time.
private struct HeadChunks<Scalar: KernelScalar> {
    let hidden: Saved<Scalar>
    let columns: Int
    let head: Weight<Scalar>
    let rows: [Int32]
    let coefficients: [Scalar]
    let arithmetic: ProductArithmetic
    let loss: (HeadChunk<Scalar>) -> Void

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
    ///   - hiddenGradient: `[rows with a loss, inputs]`, overwritten.
    ///   - headGradient: Where to add the head's, and the factor of what it held.
    /// - Returns: The loss, not multiplied by `upstream`.
    func run(
        upstream: Scalar,
        hiddenGradient: Tensor<Scalar>?,
        headGradient: (() -> (buffer: Buffer<Scalar>, isAdding: Bool)?)?
    ) -> Scalar {
        let losses = Buffer<Scalar>(count: rows.count)
        for start in stride(from: 0, to: rows.count, by: chunkSize) {
            let range = start..<min(start + chunkSize, rows.count)
            let x = Tensor<Scalar>(uninitialized: [range.count, columns])
            let ids = Array(rows[range])
            gatherRows(hidden.tensor.buffer, columns: columns, ids: ids, into: x.buffer)
            let logits = logits(x, isTraining: hiddenGradient != nil)
            let head = headGradient?()
            let isWanted = hiddenGradient != nil || head != nil
            loss(
                HeadChunk(
                    rows: ids,
                    logits: logits,
                    losses: losses[range],
                    weights: isWanted ? Buffer(coefficients[range].map { $0 * upstream }) : nil
                )
            )
            guard isWanted else { continue }
            var products: [MatrixProduct<Scalar>] = []
            if let hiddenGradient {
                products += backward(logits, into: hiddenGradient.rows(range))
            }
            if let (buffer, isAdding) = head {
                products.append(
                    MatrixProduct(
                        logits,
                        transposeA: true,
                        x.buffer,
                        into: buffer,
                        m: self.head.outputs,
                        n: x.columns,
                        k: range.count,
                        isAdding: isAdding
                    )
                )
            }
            gemm(products, arithmetic)
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
                k: x.columns,
                arithmetic
            )
        case .stored(let matrix):
            if isTraining {
                linearByPanels(
                    x.buffer,
                    rows: x.rows,
                    weight: matrix,
                    bias: nil,
                    into: logits,
                    arithmetic
                )
            } else {
                Kernels.linear(x.buffer, rows: x.rows, weight: matrix, bias: nil, into: logits)
            }
        }
        return logits
    }

    /// ∂x = g W for the gradient `g` of a chunk's logits: done, or the product to do.
    private func backward(_ g: Buffer<Scalar>, into dx: Tensor<Scalar>) -> [MatrixProduct<Scalar>] {
        switch head {
        case .dense(let weight):
            return [
                MatrixProduct(
                    g,
                    weight.value.buffer,
                    into: dx.buffer,
                    m: dx.rows,
                    n: dx.columns,
                    k: head.outputs
                )
            ]
        case .stored(let matrix):
            linearInputGradient(
                g,
                rows: dx.rows,
                weight: matrix,
                into: dx.buffer,
                isAdding: false,
                arithmetic
            )
            return []
        }
    }

    /// Adds the gradients of the rows with a loss to those of all rows, input 0.
    func addToRows(_ dx: Tensor<Scalar>, scale: Scalar, _ gradients: Gradients<Scalar>) {
        guard let all = gradients.accumulator(0) else { return }
        if scale != 1 { Kernels.scale(dx.buffer, by: scale, into: dx.buffer) }
        scatterAddRows(dx.buffer, columns: dx.columns, ids: rows, into: all)
    }
}
