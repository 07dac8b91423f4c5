import CKernels

private func check<S>(_ operation: StaticString, _ count: Int, _ others: Buffer<S>...) {
    for other in others {
        precondition(
            other.count == count,
            "\(operation): \(other.count) elements beside \(count)"
        )
    }
}

/// y = a + b; `y` may be `a` or `b`.
@_specialize(where S == Float)
public func add<S: KernelScalar>(_ a: Buffer<S>, _ b: Buffer<S>, into y: Buffer<S>) {
    check("add", y.count, a, b)
    ThreadPool.forEach(y.count, grain: Grain.elements) { r in
        let i = r.lowerBound
        S.kernels.add(r.count, a.base + i, b.base + i, y.base + i)
    }
}

/// y = a ∘ b; `y` may be `a` or `b`.
public func multiply<S: KernelScalar>(_ a: Buffer<S>, _ b: Buffer<S>, into y: Buffer<S>) {
    check("multiply", y.count, a, b)
    ThreadPool.forEach(y.count, grain: Grain.elements) { r in
        let i = r.lowerBound
        S.kernels.multiply(r.count, a.base + i, b.base + i, y.base + i)
    }
}

/// y += a ∘ b.
public func multiplyAccumulate<S: KernelScalar>(
    _ a: Buffer<S>,
    _ b: Buffer<S>,
    into y: Buffer<S>
) {
    check("multiplyAccumulate", y.count, a, b)
    ThreadPool.forEach(y.count, grain: Grain.elements) { r in
        let i = r.lowerBound
        S.kernels.multiply_accumulate(r.count, a.base + i, b.base + i, y.base + i)
    }
}

/// y += scale · x.
public func accumulate<S: KernelScalar>(_ x: Buffer<S>, scale: S = 1, into y: Buffer<S>) {
    check("accumulate", y.count, x)
    ThreadPool.forEach(y.count, grain: Grain.elements) { r in
        let i = r.lowerBound
        S.kernels.accumulate(r.count, x.base + i, Double(scale), y.base + i)
    }
}

/// y = by · x; `y` may be `x`.
public func scale<S: KernelScalar>(_ x: Buffer<S>, by: S, into y: Buffer<S>) {
    check("scale", y.count, x)
    ThreadPool.forEach(y.count, grain: Grain.elements) { r in
        let i = r.lowerBound
        S.kernels.scale(r.count, x.base + i, Double(by), y.base + i)
    }
}

/// y[r, :] += row.
public func addRow<S: KernelScalar>(_ row: Buffer<S>, rows: Int, into y: Buffer<S>) {
    let columns = row.count
    check("addRow", rows * columns, y)
    ThreadPool.forEach(rows, grain: Grain.rows(of: columns)) { range in
        for r in range {
            let to = y.base + r * columns
            S.kernels.add(columns, row.base, to, to)
        }
    }
}

/// y[:] += Σ_r x[r, :].
public func accumulateColumnSums<S: KernelScalar>(_ x: Buffer<S>, rows: Int, into y: Buffer<S>) {
    check("accumulateColumnSums", rows * y.count, x)
    columnSums(rows: rows, x: x, times: nil, scaledBy: nil, into: y)
}

/// y[c] += Σ_r x[r, c] · a[r, c] · s[r], or the plain sum without `a` and `s`.
///
/// Columns are shared out, so each sum has one order of additions.
func columnSums<S: KernelScalar>(
    rows: Int,
    x: Buffer<S>,
    times a: Buffer<S>?,
    scaledBy s: Buffer<S>?,
    into y: Buffer<S>
) {
    let columns = y.count
    let grain = Grain.columns(rows: rows, columns: columns)
    ThreadPool.forEach(columns, grain: grain) { range in
        let c = range.lowerBound
        S.kernels.column_sums(
            rows,
            range.count,
            columns,
            x.base + c,
            a.map { $0.base + c },
            s?.base,
            y.base + c
        )
    }
}

/// An elementwise function of one variable.
public enum Activation: Sendable, CaseIterable {
    /// max(x, 0).
    case relu
    /// Hyperbolic tangent.
    case tanh
    /// 1 / (1 + e^-x).
    case sigmoid
    /// x · sigmoid(x).
    case silu
    /// e^x.
    case exp
    /// Natural logarithm.
    case log

    fileprivate var code: Int32 {
        switch self {
        case .relu: Int32(CK_RELU.rawValue)
        case .tanh: Int32(CK_TANH.rawValue)
        case .sigmoid: Int32(CK_SIGMOID.rawValue)
        case .silu: Int32(CK_SILU.rawValue)
        case .exp: Int32(CK_EXP.rawValue)
        case .log: Int32(CK_LOG.rawValue)
        }
    }
}

/// y = f(x); `y` may be `x`.
public func activate<S: KernelScalar>(_ f: Activation, _ x: Buffer<S>, into y: Buffer<S>) {
    check("activate", y.count, x)
    ThreadPool.forEach(y.count, grain: Grain.activations) { r in
        let i = r.lowerBound
        S.kernels.activate(f.code, r.count, x.base + i, y.base + i)
    }
}

/// dx += g ∘ f'(x), where y = f(x).
public func activateBackward<S: KernelScalar>(
    _ f: Activation,
    x: Buffer<S>,
    y: Buffer<S>,
    upstream g: Buffer<S>,
    accumulatingInto dx: Buffer<S>
) {
    check("activateBackward", dx.count, x, y, g)
    ThreadPool.forEach(dx.count, grain: Grain.activations) { r in
        let i = r.lowerBound
        S.kernels.activate_backward(
            f.code,
            r.count,
            x.base + i,
            y.base + i,
            g.base + i,
            dx.base + i
        )
    }
}

/// y = silu(gate) ∘ up; `y` may be either.
@_specialize(where S == Float)
public func swiGLU<S: KernelScalar>(gate: Buffer<S>, up: Buffer<S>, into y: Buffer<S>) {
    check("swiGLU", y.count, gate, up)
    ThreadPool.forEach(y.count, grain: Grain.activations) { r in
        let i = r.lowerBound
        S.kernels.swiglu(r.count, gate.base + i, up.base + i, y.base + i)
    }
}

/// Backward of `swiGLU`; both gradients are accumulated.
public func swiGLUBackward<S: KernelScalar>(
    gate: Buffer<S>,
    up: Buffer<S>,
    upstream g: Buffer<S>,
    gateGradient: Buffer<S>,
    upGradient: Buffer<S>
) {
    check("swiGLUBackward", g.count, gate, up, gateGradient, upGradient)
    ThreadPool.forEach(g.count, grain: Grain.activations) { r in
        let i = r.lowerBound
        S.kernels.swiglu_backward(
            r.count,
            gate.base + i,
            up.base + i,
            g.base + i,
            gateGradient.base + i,
            upGradient.base + i
        )
    }
}

/// Elements in one partial sum of a reduction; part of its definition.
private let reductionChunk = 1 << 16

private func reduce<S: KernelScalar>(
    _ x: Buffer<S>,
    _ partial: (Int, UnsafePointer<S>) -> Double
) -> Double {
    let chunks = (x.count + reductionChunk - 1) / reductionChunk
    let partials = Buffer<Double>(count: chunks)
    ThreadPool.forEach(chunks, grain: 1) { range in
        for chunk in range {
            let start = chunk * reductionChunk
            partials.base[chunk] = partial(min(reductionChunk, x.count - start), x.base + start)
        }
    }
    return (0..<chunks).reduce(0) { $0 + partials.base[$1] }
}

/// Σ x², in double, by chunks of fixed size.
public func sumOfSquares<S: KernelScalar>(_ x: Buffer<S>) -> Double {
    reduce(x) { S.kernels.sum_of_squares($0, $1) }
}

/// Σ x, in double, by chunks of fixed size.
public func sum<S: KernelScalar>(_ x: Buffer<S>) -> Double {
    reduce(x) { S.kernels.sum($0, $1) }
}
