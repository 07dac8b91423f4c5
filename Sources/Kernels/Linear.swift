import CKernels

/// y[r, n] = Σ_k x[r, k] W[n, k] (+ bias[n]), with one fixed order of additions per output.
///
/// A row's result has the same bits whatever `rows` and the number of threads are, which
/// `gemm` does not promise; use this where text is generated or scored.
///
/// - Parameters:
///   - x: `[rows, inputs]`.
///   - rows: Rows of x and y.
///   - weight: `[outputs, inputs]`.
///   - outputs: Rows of the weight.
///   - inputs: Columns of the weight.
///   - bias: `[outputs]`, or none.
///   - y: `[rows, outputs]`; not `x`.
public func linear<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    weight: Buffer<S>,
    outputs: Int,
    inputs: Int,
    bias: Buffer<S>?,
    into y: Buffer<S>
) {
    precondition(
        weight.count == outputs * inputs,
        "linear: [\(outputs), \(inputs)] with \(weight.count) elements"
    )
    linear(
        x,
        rows: rows,
        format: CK_NATIVE.rawValue,
        weight: UnsafeRawPointer(weight.base),
        outputs: outputs,
        inputs: inputs,
        bias: bias,
        into: y
    )
}

/// y[r, n] = Σ_k x[r, k] W[n, k] (+ bias[n]) for a weight in stored blocks.
///
/// A matrix packed for products takes x quantised to int8; otherwise blocks are widened piece by
/// piece beside the product. See the dense form for what both promise.
public func linear<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    weight: StoredMatrix,
    bias: Buffer<S>?,
    into y: Buffer<S>
) {
    if let packed = weight.packed, let products = S.kernels.packed {
        checkLinear(x, rows: rows, outputs: weight.rows, inputs: weight.columns, bias: bias, y)
        guard rows > 0 else { return }
        // Only the tables of Float have such products.
        packedLinear(
            UnsafeRawPointer(x.base).assumingMemoryBound(to: Float.self),
            rows: rows,
            weight: weight,
            packed: packed,
            products: products,
            bias: bias.map { UnsafeRawPointer($0.base).assumingMemoryBound(to: Float.self) },
            into: UnsafeMutableRawPointer(y.base).assumingMemoryBound(to: Float.self)
        )
        return
    }
    linear(
        x,
        rows: rows,
        format: weight.format.code,
        weight: weight.base,
        outputs: weight.rows,
        inputs: weight.columns,
        bias: bias,
        into: y
    )
}

private func checkLinear<S>(
    _ x: Buffer<S>,
    rows: Int,
    outputs: Int,
    inputs: Int,
    bias: Buffer<S>?,
    _ y: Buffer<S>
) {
    precondition(
        x.count == rows * inputs && y.count == rows * outputs
            && (bias?.count ?? outputs) == outputs,
        "linear: [\(rows), \(inputs)] x [\(outputs), \(inputs)] with \(x.count), \(y.count)"
    )
}

private func linear<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    format: Int32,
    weight: UnsafeRawPointer,
    outputs: Int,
    inputs: Int,
    bias: Buffer<S>?,
    into y: Buffer<S>
) {
    checkLinear(x, rows: rows, outputs: outputs, inputs: inputs, bias: bias, y)
    guard rows > 0 else { return }
    // A few tasks a thread, in whole groups of 12 weight rows, none below some 30 microseconds.
    let least = (1 << 17) / max(1, rows * inputs)
    let share = max(outputs / (4 * ThreadPool.threadCount), least)
    let grain = max(1, (share + 11) / 12) * 12
    ThreadPool.forEach(outputs, grain: grain) { range in
        S.kernels.linear(
            rows,
            inputs,
            x.base,
            format,
            weight,
            range.lowerBound,
            range.upperBound,
            outputs,
            bias?.base,
            y.base
        )
    }
}
