import Kernels

extension Variable {
    /// Scales each row to unit root mean square, then multiplies by a learned gain.
    ///
    ///     y[r, i] = w[i] · x[r, i] · s[r],   s[r] = 1 / √(mean(x[r, ·]²) + ε)
    ///
    /// Rows are runs of `weight.count` elements, so a `[T, heads · D]` tensor with a `[D]` gain is
    /// normalised head by head (the QK-norm of Qwen3). Keeps one `s` per row for the backward pass,
    /// which computes y again where it is needed.
    /// Source: Zhang & Sennrich 2019, arXiv:1910.07467, eq. 4.
    @_specialize(where Scalar == Float)
    public func rmsNorm(weight: Variable, epsilon: Scalar) -> Variable {
        let w = weight.value
        precondition(
            w.count > 0 && value.columns % w.count == 0,
            "rmsNorm: input \(shape) does not fit a gain \(weight.shape)"
        )
        let rows = value.count / w.count
        let s = Buffer<Scalar>(count: rows)
        func normalized(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            let y = Tensor<Scalar>(uninitialized: x.shape)
            Kernels.rmsNorm(
                x.buffer,
                rows: rows,
                weight: w.buffer,
                epsilon: epsilon,
                into: y.buffer,
                inverseRMS: s
            )
            return y
        }
        if tape == nil, weight.tape == nil { return Variable(normalized(value)) }
        let x = saved
        return .recorded(
            "rmsNorm",
            inputs: [self, weight],
            saved: Saved(normalized(value)),
            remake: { normalized(x.tensor) }
        ) { g, gradients in
            // u = g ∘ w:   ∂x = s·u − x·s³·mean(x ∘ u),   ∂w = Σ_rows g ∘ x·s
            Kernels.rmsNormBackward(
                x.tensor.buffer,
                rows: rows,
                weight: w.buffer,
                inverseRMS: s,
                upstream: g.buffer,
                inputGradient: gradients.accumulator(0) ?? .zeros(g.count),
                weightGradient: gradients.accumulator(1)
            )
        }
        .recomputed()
    }

    /// Softmax over the last axis.
    public func softmax() -> Variable {
        let y = Tensor<Scalar>(uninitialized: shape)
        let rows = value.rows
        Kernels.softmax(value.buffer, rows: rows, into: y.buffer)
        return .recorded("softmax", inputs: [self], value: y) { g, gradients in
            // ∂x = y ∘ (g − ⟨g, y⟩)
            guard let dx = gradients.accumulator(0) else { return }
            Kernels.softmaxBackward(
                y: y.buffer,
                rows: rows,
                upstream: g.buffer,
                accumulatingInto: dx
            )
        }
    }

    /// Rotates each head's vector by angles that grow with its position (RoPE).
    ///
    /// Element j is paired with element j + D/2 ("half-split" order, as published weights expect).
    /// The backward pass is the rotation by the opposite angles; the rotated vectors are not kept.
    /// Source: Su et al. 2021, arXiv:2104.09864, section 3.2.
    ///
    /// - Precondition: the receiver is `[rows, heads · D]`; cosines and sines are `[rows, D / 2]`.
    @_specialize(where Scalar == Float)
    public func rotated(heads: Int, cosines: Tensor<Scalar>, sines: Tensor<Scalar>) -> Variable {
        let headDimension = value.columns / heads
        precondition(
            headDimension * heads == value.columns && cosines.columns * 2 == headDimension
                && cosines.rows == value.rows && sines.shape == cosines.shape,
            "rotated: input \(shape), \(heads) heads, angles \(cosines.shape)"
        )
        let rows = value.rows
        func rotate(_ x: Buffer<Scalar>, inverse: Bool, into y: Buffer<Scalar>) {
            Kernels.rotate(
                x,
                rows: rows,
                heads: heads,
                headDimension: headDimension,
                cosines: cosines.buffer,
                sines: sines.buffer,
                inverse: inverse,
                into: y
            )
        }
        func rotated(_ x: Tensor<Scalar>) -> Tensor<Scalar> {
            let y = Tensor<Scalar>(uninitialized: x.shape)
            rotate(x.buffer, inverse: false, into: y.buffer)
            return y
        }
        if tape == nil { return Variable(rotated(value)) }
        let x = saved
        return .recorded(
            "rotated",
            inputs: [self],
            saved: Saved(rotated(value)),
            remake: { rotated(x.tensor) }
        ) { g, gradients in
            guard let (dx, isAdding) = gradients.destination(0) else { return }
            if isAdding {
                let back = Tensor<Scalar>(uninitialized: g.shape)
                rotate(g.buffer, inverse: true, into: back.buffer)
                gradients.add(back, to: 0)
            } else {
                rotate(g.buffer, inverse: true, into: dx)
            }
        }
        .recomputed()
    }
}
