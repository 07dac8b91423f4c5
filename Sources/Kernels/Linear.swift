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

/// A weight in stored blocks, and where its product with an input goes.
public struct StoredProduct<S: KernelScalar> {
    /// The stored weight.
    public var weight: StoredMatrix
    /// `[weight.rows]`, or none.
    public var bias: Buffer<S>?
    /// `[rows, weight.rows]`.
    public var output: Buffer<S>

    /// Describes a product.
    public init(weight: StoredMatrix, bias: Buffer<S>?, output: Buffer<S>) {
        self.weight = weight
        self.bias = bias
        self.output = output
    }

    /// Only the tables of Float have products on packed weights.
    fileprivate var packed: PackedProduct? {
        weight.packed.map { packed in
            PackedProduct(
                weight: weight,
                packed: packed,
                bias: bias.map { UnsafeRawPointer($0.base).assumingMemoryBound(to: Float.self) },
                y: UnsafeMutableRawPointer(output.base).assumingMemoryBound(to: Float.self)
            )
        }
    }
}

/// y[r, n] = Σ_k x[r, k] W[n, k] (+ bias[n]) for weights in stored blocks that share an input.
///
/// Matrices packed for products take x quantised to int8, once for all; otherwise blocks are widened
/// piece by piece beside the product. See the dense form for what both promise.
///
/// - Parameters:
///   - x: `[rows, weight.columns]`.
///   - rows: Rows of x and of every output.
///   - products: Weights of as many columns.
@_specialize(where S == Float)
public func linear<S: KernelScalar>(_ x: Buffer<S>, rows: Int, _ products: [StoredProduct<S>]) {
    for product in products {
        let weight = product.weight
        checkLinear(
            x,
            rows: rows,
            outputs: weight.rows,
            inputs: weight.columns,
            bias: product.bias,
            product.output
        )
    }
    guard rows > 0 else { return }
    var rest = products
    if let kernels = S.kernels.packed {
        let x = UnsafeRawPointer(x.base).assumingMemoryBound(to: Float.self)
        packedLinear(x, rows: rows, products.compactMap { $0.packed }, kernels: kernels)
        rest.removeAll { $0.weight.packed != nil }
    }
    for product in rest {
        linear(
            x,
            rows: rows,
            format: product.weight.format.code,
            weight: product.weight.base,
            outputs: product.weight.rows,
            inputs: product.weight.columns,
            bias: product.bias,
            into: product.output
        )
    }
}

/// y[r, n] = Σ_k x[r, k] W[n, k] (+ bias[n]) for one weight in stored blocks.
public func linear<S: KernelScalar>(
    _ x: Buffer<S>,
    rows: Int,
    weight: StoredMatrix,
    bias: Buffer<S>?,
    into y: Buffer<S>
) {
    linear(x, rows: rows, [StoredProduct(weight: weight, bias: bias, output: y)])
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
