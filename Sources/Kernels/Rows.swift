import CKernels

private func rowLength<S>(_ operation: StaticString, _ x: Buffer<S>, rows: Int) -> Int {
    guard rows > 0 else { return 0 }
    precondition(x.count % rows == 0, "\(operation): \(x.count) elements in \(rows) rows")
    return x.count / rows
}

/// y[r, i] = w[i] · x[r, i] · s[r] with s[r] = 1 / √(mean(x[r, ·]²) + ε).
///
/// Source: Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4.
///
/// - Parameters:
///   - x: `[rows, columns]`.
///   - rows: Rows of x and y.
///   - weight: Gain, `[columns]`.
///   - epsilon: Added to the mean square; positive.
///   - y: `[rows, columns]`; may be `x`.
///   - s: `[rows]`, kept for the backward pass.
@_specialize(where S == Float)
public func rmsNorm<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    weight: Buffer<S>,
    epsilon: S,
    into y: Buffer<S>,
    inverseRMS s: Buffer<S>
) {
    let columns = weight.count
    precondition(
        x.count == rows * columns && y.count == x.count && s.count == rows,
        "rmsNorm: \(x.count) elements in \(rows) rows of \(columns)"
    )
    ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { r in
        let i = r.lowerBound * columns
        S.kernels.rms_norm(
            r.count,
            columns,
            x.base + i,
            weight.base,
            Double(epsilon),
            y.base + i,
            s.base + r.lowerBound
        )
    }
}

/// Backward of `rmsNorm`: with u = g ∘ w, dx += s·u − x·s³·mean(x ∘ u) and dw += Σ_r g ∘ x·s.
public func rmsNormBackward<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    weight: Buffer<S>,
    inverseRMS s: Buffer<S>,
    upstream g: Buffer<S>,
    inputGradient dx: Buffer<S>,
    weightGradient dw: Buffer<S>?
) {
    let columns = weight.count
    precondition(
        x.count == rows * columns && g.count == x.count && dx.count == x.count && s.count == rows
            && (dw?.count ?? columns) == columns,
        "rmsNormBackward: \(x.count) elements in \(rows) rows of \(columns)"
    )
    ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { r in
        let i = r.lowerBound * columns
        S.kernels.rms_norm_backward(
            r.count,
            columns,
            x.base + i,
            weight.base,
            s.base + r.lowerBound,
            g.base + i,
            dx.base + i
        )
    }
    if let dw { columnSums(rows: rows, x: x, times: g, scaledBy: s, into: dw) }
}

/// y[r, :] = e^(x[r, :]) / Σ e^(x[r, :]); `y` may be `x`.
public func softmax<S: KernelScalar>(_ x: Buffer<S>, rows: Int, into y: Buffer<S>) {
    let columns = rowLength("softmax", x, rows: rows)
    precondition(y.count == x.count, "softmax: \(x.count) elements into \(y.count)")
    ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { r in
        let i = r.lowerBound * columns
        S.kernels.softmax(r.count, columns, x.base + i, y.base + i)
    }
}

/// Backward of `softmax`: dx += y ∘ (g − Σ y ∘ g) by rows.
public func softmaxBackward<S: KernelScalar>(
    y: Buffer<S>,
    rows: Int,
    upstream g: Buffer<S>,
    accumulatingInto dx: Buffer<S>
) {
    let columns = rowLength("softmaxBackward", y, rows: rows)
    precondition(
        g.count == y.count && dx.count == y.count,
        "softmaxBackward: \(y.count), \(g.count), \(dx.count) elements"
    )
    ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { r in
        let i = r.lowerBound * columns
        S.kernels.softmax_backward(r.count, columns, y.base + i, g.base + i, dx.base + i)
    }
}

/// Rotates the pairs (x[j], x[j + D/2]) of every head by the row's angles.
///
/// Source: Su et al. 2021, arXiv:2104.09864, with Hugging Face's half-split order of pairs.
///
/// - Parameters:
///   - x: `[rows, heads, D]`.
///   - rows: Rows of x and y.
///   - heads: Heads in a row.
///   - headDimension: Numbers in a head, D; even.
///   - cosines: `[rows, D / 2]`.
///   - sines: `[rows, D / 2]`.
///   - inverse: Turn back, which is also the backward pass.
///   - y: `[rows, heads, D]`; may be `x`.
@_specialize(where S == Float)
public func rotate<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    heads: Int,
    headDimension: Int,
    cosines: Buffer<S>,
    sines: Buffer<S>,
    inverse: Bool,
    into y: Buffer<S>
) {
    let (columns, half) = (heads * headDimension, headDimension / 2)
    precondition(
        headDimension % 2 == 0 && x.count == rows * columns && y.count == x.count
            && cosines.count == rows * half && sines.count == rows * half,
        "rotate: \(x.count) elements in \(rows) rows of \(heads) heads of \(headDimension)"
    )
    ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { r in
        let (i, j) = (r.lowerBound * columns, r.lowerBound * half)
        S.kernels.rotate(
            r.count,
            heads,
            headDimension,
            cosines.base + j,
            sines.base + j,
            inverse,
            x.base + i,
            y.base + i
        )
    }
}

/// y[i, :] = table[ids[i], :].
public func gatherRows<S: KernelScalar>(
    _ table: Buffer<S>,
    columns: Int,
    ids: [Int32],
    into y: Buffer<S>
) {
    precondition(
        y.count == ids.count * columns,
        "gatherRows: \(ids.count) rows of \(columns) into \(y.count)"
    )
    checkIds("gatherRows", ids, rows: columns == 0 ? 0 : table.count / columns)
    ThreadPool.forEach(ids.count, grain: Grain.rows(of: columns)) { range in
        for i in range {
            (y.base + i * columns).update(
                from: table.base + Int(ids[i]) * columns,
                count: columns
            )
        }
    }
}

/// table[ids[i], :] += g[i, :], in the order of i.
public func scatterAddRows<S: KernelScalar>(
    _ g: Buffer<S>,
    columns: Int,
    ids: [Int32],
    into table: Buffer<S>
) {
    precondition(
        g.count == ids.count * columns,
        "scatterAddRows: \(g.count) elements in \(ids.count) rows of \(columns)"
    )
    checkIds("scatterAddRows", ids, rows: columns == 0 ? 0 : table.count / columns)
    // Columns are shared out: an id that comes twice is added in one order.
    ThreadPool.forEach(columns, grain: Grain.columns(rows: ids.count, columns: columns)) { range in
        let c = range.lowerBound
        for i in ids.indices {
            S.kernels.accumulate(
                range.count,
                g.base + i * columns + c,
                1,
                table.base + Int(ids[i]) * columns + c
            )
        }
    }
}

func checkIds(_ operation: StaticString, _ ids: [Int32], rows: Int) {
    for id in ids {
        precondition(id >= 0 && id < rows, "\(operation): id \(id) of a table of \(rows) rows")
    }
}

/// logSumExp[r] = log Σ e^logits[r, ·] and losses[r] = logSumExp[r] − logits[r, targets[r]].
///
/// A negative target gives the loss 0. `logits` is `[rows, columns]`, the rest `[rows]`.
public func crossEntropy<S: KernelScalar>(
    logits: Buffer<S>,
    rows: Int,
    targets: [Int32],
    losses: Buffer<S>,
    logSumExp: Buffer<S>
) {
    let columns = rowLength("crossEntropy", logits, rows: rows)
    precondition(
        targets.count == rows && losses.count == rows && logSumExp.count == rows,
        "crossEntropy: \(targets.count) targets of \(rows) rows"
    )
    checkTargets("crossEntropy", targets, columns: columns)
    targets.withUnsafeBufferPointer { targets in
        guard let ids = targets.baseAddress else { return }
        ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { r in
            let i = r.lowerBound
            S.kernels.cross_entropy(
                r.count,
                columns,
                logits.base + i * columns,
                ids + i,
                losses.base + i,
                logSumExp.base + i
            )
        }
    }
}

/// logits[r, :] becomes weights[r] · (softmax(logits[r, :]) − onehot(targets[r])).
///
/// A row with a negative target becomes 0.
public func crossEntropyBackward<S: KernelScalar>(
    logits: Buffer<S>,
    rows: Int,
    targets: [Int32],
    logSumExp: Buffer<S>,
    weights: Buffer<S>
) {
    let columns = rowLength("crossEntropyBackward", logits, rows: rows)
    precondition(
        targets.count == rows && weights.count == rows && logSumExp.count == rows,
        "crossEntropyBackward: \(targets.count) targets of \(rows) rows"
    )
    checkTargets("crossEntropyBackward", targets, columns: columns)
    targets.withUnsafeBufferPointer { targets in
        guard let ids = targets.baseAddress else { return }
        ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { r in
            let i = r.lowerBound
            S.kernels.cross_entropy_backward(
                r.count,
                columns,
                logits.base + i * columns,
                ids + i,
                logSumExp.base + i,
                weights.base + i
            )
        }
    }
}

private func checkTargets(_ operation: StaticString, _ targets: [Int32], columns: Int) {
    for target in targets {
        precondition(target < columns, "\(operation): target \(target) of \(columns) classes")
    }
}
