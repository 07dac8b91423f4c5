import Kernels

/// The matrix of a linear map: trainable numbers, or frozen ones as a file stores them.
public enum Weight<Scalar: KernelScalar> {
    /// A `[outputs, inputs]` tensor, which can have a gradient.
    case dense(Variable<Scalar>)
    /// A matrix in its stored format, possibly quantised. It passes gradients on to its input and
    /// has none of its own.
    case stored(StoredMatrix)

    /// Rows of the matrix.
    public var outputs: Int {
        switch self {
        case .dense(let weight): weight.shape[0]
        case .stored(let matrix): matrix.rows
        }
    }
}

extension Variable {
    /// Applies a linear map to every row: y = x Wᵀ + b.
    ///
    /// Recorded, the product is one matrix product over all rows. Not recorded, each output is
    /// computed in an order of additions that does not depend on the number of rows, so decoding
    /// gives the same bits for every batch size.
    ///
    /// - Precondition: the receiver is `[rows, inputs]`, the weight `[outputs, inputs]`, the bias
    ///   `[outputs]`.
    /// - Returns: `[rows, outputs]`.
    @_specialize(where Scalar == Float)
    public func linear(_ weight: Weight<Scalar>, bias: Variable? = nil) -> Variable {
        switch weight {
        case .dense(let weight): linear(dense: weight, bias: bias)
        case .stored(let matrix): linear(stored: matrix, bias: bias)
        }
    }

    private func linear(dense weight: Variable, bias: Variable?) -> Variable {
        let (x, w, b) = (saved, weight.value, bias?.value.buffer)
        let (rows, inputs, outputs) = (value.rows, value.columns, w.rows)
        precondition(
            w.columns == inputs,
            "linear: input \(shape) does not fit weight \(weight.shape)"
        )
        let operands = [self, weight] + (bias.map { [$0] } ?? [])
        let (isRecorded, arithmetic) = (
            operands.contains(where: \.isRecorded), operands.arithmetic()
        )
        let hasBias = bias != nil
        func product(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            let y = Tensor<Scalar>(uninitialized: [rows, outputs])
            if isRecorded {
                gemm(
                    x.buffer,
                    w.buffer,
                    transposeB: true,
                    into: y.buffer,
                    m: rows,
                    n: outputs,
                    k: inputs,
                    arithmetic
                )
                if let b { addRow(b, rows: rows, into: y.buffer) }
            } else {
                Kernels.linear(
                    x.buffer,
                    rows: rows,
                    weight: w.buffer,
                    outputs: outputs,
                    inputs: inputs,
                    bias: b,
                    into: y.buffer
                )
            }
            return y
        }
        return .recorded(
            "linear",
            inputs: operands,
            saved: Saved(product(value)),
            remake: { product(x.tensor) }
        ) { g, gradients in
            // ∂x = g W,   ∂W = gᵀ x,   ∂b = Σ_rows g
            var products: [MatrixProduct<Scalar>] = []
            if let (dx, isAdding) = gradients.destination(0) {
                products.append(
                    MatrixProduct(
                        g.buffer,
                        w.buffer,
                        into: dx,
                        m: rows,
                        n: inputs,
                        k: outputs,
                        isAdding: isAdding
                    )
                )
            }
            if let (dw, isAdding) = gradients.destination(1) {
                products.append(
                    MatrixProduct(
                        g.buffer,
                        transposeA: true,
                        x.tensor.buffer,
                        into: dw,
                        m: outputs,
                        n: inputs,
                        k: rows,
                        isAdding: isAdding
                    )
                )
            }
            gemm(products, arithmetic)
            if hasBias, let db = gradients.accumulator(2) {
                accumulateColumnSums(g.buffer, rows: rows, into: db)
            }
        }
    }

    private func linear(stored matrix: StoredMatrix, bias: Variable?) -> Variable {
        let rows = value.rows
        precondition(
            matrix.columns == value.columns,
            "linear: input \(shape) does not fit weight [\(matrix.rows), \(matrix.columns)]"
        )
        let (b, isScoring, arithmetic) = (bias?.value.buffer, tape == nil, [self].arithmetic())
        func product(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            let y = Tensor<Scalar>(uninitialized: [rows, matrix.rows])
            // On a tape, also before the first adapter, where nothing is recorded yet.
            if isScoring {
                Kernels.linear(x.buffer, rows: rows, weight: matrix, bias: b, into: y.buffer)
            } else {
                linearByPanels(
                    x.buffer,
                    rows: rows,
                    weight: matrix,
                    bias: b,
                    into: y.buffer,
                    arithmetic
                )
            }
            return y
        }
        if isScoring, bias?.tape == nil { return Variable(product(value)) }
        let x = saved
        let hasBias = bias != nil
        return .recorded(
            "linear",
            inputs: [self] + (bias.map { [$0] } ?? []),
            saved: Saved(product(value)),
            remake: { product(x.tensor) }
        ) { g, gradients in
            if let (dx, isAdding) = gradients.destination(0) {
                linearInputGradient(
                    g.buffer,
                    rows: rows,
                    weight: matrix,
                    into: dx,
                    isAdding: isAdding,
                    arithmetic
                )
            }
            if hasBias, let db = gradients.accumulator(1) {
                accumulateColumnSums(g.buffer, rows: rows, into: db)
            }
        }
    }

    /// Rows `ids` of an embedding table.
    ///
    /// - Precondition: every id is a row of the table.
    /// - Returns: `[ids.count, columns]`.
    @_specialize(where Scalar == Float)
    public static func embedding(_ table: Weight<Scalar>, ids: [Int32], on tape: Tape<Scalar>?)
        -> Variable
    {
        switch table {
        case .dense(let table):
            let columns = table.value.columns
            let y = Tensor<Scalar>(uninitialized: [ids.count, columns])
            gatherRows(table.value.buffer, columns: columns, ids: ids, into: y.buffer)
            return recorded("embedding", inputs: [table], value: y) { g, gradients in
                guard let d = gradients.accumulator(0) else { return }
                scatterAddRows(g.buffer, columns: columns, ids: ids, into: d)
            }
        case .stored(let matrix):
            let y = Tensor<Scalar>(uninitialized: [ids.count, matrix.columns])
            matrix.gather(rows: ids, into: y.buffer)
            return Variable(value: y, tape: tape, entry: nil)
        }
    }
}
