// Products for training, where many rows meet a stored weight: it is widened by panels, each used at
// once for all rows, so that no float copy of the whole ever exists.

extension StoredMatrix {
    /// Calls `body` with the first row, the number of rows and the numbers of each panel in turn.
    ///
    /// A panel takes at most some 32 MiB in float32, which is the whole matrix in the layers of
    /// small models: a product over few rows is the faster the wider it is.
    fileprivate func forEachPanel<S: KernelScalar>(_ body: (Int, Int, Buffer<S>) -> Void) {
        let height = min(rows, max(64, (1 << 23) / columns / 64 * 64))
        let panel = Buffer<S>(count: height * columns)
        for start in stride(from: 0, to: rows, by: height) {
            let count = min(height, rows - start)
            let part = panel[0..<count * columns]
            dequantize(rows: start..<start + count, into: part)
            body(start, count, part)
        }
    }
}

/// y = x Wᵀ (+ bias) for a stored weight and many rows, by matrix products.
///
/// Comes close to the speed of a dense weight. Unlike in `linear`, a row's bits may depend on the
/// number of rows.
///
/// - Parameters:
///   - x: `[rows, weight.columns]`.
///   - rows: Rows of x and y.
///   - weight: The stored weight.
///   - bias: `[weight.rows]`, or none.
///   - y: `[rows, weight.rows]`.
///   - arithmetic: What the products are computed with.
public func linearByPanels<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    weight: StoredMatrix,
    bias: Buffer<S>?,
    into y: Buffer<S>,
    _ arithmetic: ProductArithmetic = .float32
) {
    let (outputs, inputs) = (weight.rows, weight.columns)
    precondition(
        x.count == rows * inputs && y.count == rows * outputs,
        "linearByPanels: [\(rows), \(inputs)] x [\(outputs), \(inputs)] with \(x.count), \(y.count)"
    )
    guard rows > 0 else { return }
    weight.forEachPanel { start, count, panel in
        gemm(
            [
                MatrixProduct(
                    a: x.base,
                    transposeA: false,
                    aStride: inputs,
                    b: panel.base,
                    transposeB: true,
                    bStride: inputs,
                    c: y.base + start,
                    cStride: outputs,
                    m: rows,
                    n: count,
                    k: inputs,
                    isAdding: false,
                    operands: [x, panel, y]
                )
            ],
            arithmetic
        )
    }
    if let bias { addRow(bias, rows: rows, into: y) }
}

/// dx = g W, or dx += g W, for a stored weight: the gradient through a frozen weight.
///
/// - Parameters:
///   - g: `[rows, weight.rows]`.
///   - rows: Rows of g and dx.
///   - weight: The stored weight.
///   - dx: `[rows, weight.columns]`; not read unless `isAdding`.
///   - isAdding: Whether the product is added to what `dx` holds.
///   - arithmetic: What the products are computed with.
public func linearInputGradient<S: KernelScalar>(
    _ g: Buffer<S>,
    rows: Int,
    weight: StoredMatrix,
    into dx: Buffer<S>,
    isAdding: Bool = true,
    _ arithmetic: ProductArithmetic = .float32
) {
    let (outputs, inputs) = (weight.rows, weight.columns)
    precondition(
        g.count == rows * outputs && dx.count == rows * inputs,
        "linearInputGradient: [\(rows), \(outputs)] x [\(outputs), \(inputs)] with "
            + "\(g.count), \(dx.count)"
    )
    guard rows > 0 else { return }
    weight.forEachPanel { start, count, panel in
        gemm(
            [
                MatrixProduct(
                    a: g.base + start,
                    transposeA: false,
                    aStride: outputs,
                    b: panel.base,
                    transposeB: false,
                    bStride: inputs,
                    c: dx.base,
                    cStride: inputs,
                    m: rows,
                    n: inputs,
                    k: count,
                    isAdding: start > 0 || isAdding,
                    operands: [g, panel, dx]
                )
            ],
            arithmetic
        )
    }
}
