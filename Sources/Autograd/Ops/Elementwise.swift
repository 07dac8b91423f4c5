import Kernels

extension Variable {
    private func checkShape(_ name: StaticString, _ other: Variable) {
        precondition(shape == other.shape, "\(name): shapes \(shape) and \(other.shape) differ")
    }

    /// Elementwise sum of two tensors of one shape.
    @_specialize(where Scalar == Float)
    public static func + (a: Variable, b: Variable) -> Variable {
        a.checkShape("add", b)
        func sum(_ x: Tensor<Scalar>, _ z: Tensor<Scalar>) -> Tensor<Scalar> {
            let y = Tensor<Scalar>(uninitialized: x.shape)
            Kernels.add(x.buffer, z.buffer, into: y.buffer)
            return y
        }
        if a.tape == nil, b.tape == nil { return Variable(sum(a.value, b.value)) }
        let (x, z) = (a.saved, b.saved)
        return recorded(
            "add",
            inputs: [a, b],
            saved: Saved(sum(a.value, b.value)),
            remake: { sum(x.tensor, z.tensor) }
        ) { g, gradients in
            gradients.add(g, to: 1)
            gradients.passUpstream(to: 0)
        }
    }

    /// Elementwise difference of two tensors of one shape.
    public static func - (a: Variable, b: Variable) -> Variable { a + b.scaled(by: -1) }

    /// Elementwise product of two tensors of one shape.
    public static func * (a: Variable, b: Variable) -> Variable {
        a.checkShape("multiply", b)
        let (x, z) = (a.saved, b.saved)
        func product(_ x: Tensor<Scalar>, _ z: Tensor<Scalar>) -> Tensor<Scalar> {
            let y = Tensor<Scalar>(uninitialized: x.shape)
            Kernels.multiply(x.buffer, z.buffer, into: y.buffer)
            return y
        }
        return recorded(
            "multiply",
            inputs: [a, b],
            saved: Saved(product(a.value, b.value)),
            remake: { product(x.tensor, z.tensor) }
        ) { g, gradients in
            if let dx = gradients.accumulator(0) {
                Kernels.multiplyAccumulate(g.buffer, z.tensor.buffer, into: dx)
            }
            if let dz = gradients.accumulator(1) {
                Kernels.multiplyAccumulate(g.buffer, x.tensor.buffer, into: dz)
            }
        }
    }

    /// Every element times one number.
    public func scaled(by factor: Scalar) -> Variable {
        let y = Tensor<Scalar>(uninitialized: shape)
        Kernels.scale(value.buffer, by: factor, into: y.buffer)
        return .recorded("scaled", inputs: [self], value: y) { g, gradients in
            guard let dx = gradients.accumulator(0) else { return }
            Kernels.accumulate(g.buffer, scale: factor, into: dx)
        }
    }

    /// The same elements in another shape.
    public func reshaped(_ shape: [Int]) -> Variable {
        let original = self.shape
        return .recorded("reshaped", inputs: [self], value: value.reshaped(shape)) { g, gradients in
            gradients.add(g.reshaped(original), to: 0)
        }
    }

    /// An elementwise function: relu, tanh, sigmoid, silu, exp or log.
    public func activated(_ function: Activation) -> Variable {
        let x = saved
        let y = Tensor<Scalar>(uninitialized: shape)
        Kernels.activate(function, value.buffer, into: y.buffer)
        return .recorded("activated", inputs: [self], value: y) { g, gradients in
            guard let dx = gradients.accumulator(0) else { return }
            Kernels.activateBackward(
                function,
                x: x.tensor.buffer,
                y: y.buffer,
                upstream: g.buffer,
                accumulatingInto: dx
            )
        }
    }

    /// max(x, 0).
    public func relu() -> Variable { activated(.relu) }
    /// Hyperbolic tangent.
    public func tanh() -> Variable { activated(.tanh) }
    /// x · σ(x), also called swish.
    public func silu() -> Variable { activated(.silu) }

    /// The gated product of a SwiGLU feed-forward block: silu(self) ∘ up.
    ///
    /// Neither silu(gate) nor the product is kept; the backward pass computes them again.
    /// Source: Shazeer 2020, arXiv:2002.05202, section 2.
    @_specialize(where Scalar == Float)
    public func swiGLU(up: Variable) -> Variable {
        checkShape("swiGLU", up)
        func product(_ gate: Tensor<Scalar>, _ up: Tensor<Scalar>) -> Tensor<Scalar> {
            let y = Tensor<Scalar>(uninitialized: gate.shape)
            Kernels.swiGLU(gate: gate.buffer, up: up.buffer, into: y.buffer)
            return y
        }
        if tape == nil, up.tape == nil { return Variable(product(value, up.value)) }
        let (a, b) = (saved, up.saved)
        return .recorded(
            "swiGLU",
            inputs: [self, up],
            saved: Saved(product(value, up.value)),
            remake: { product(a.tensor, b.tensor) }
        ) { g, gradients in
            // The kernel writes both; an unwanted one goes to scratch.
            let scratch = { Buffer<Scalar>.zeros(g.count) }
            Kernels.swiGLUBackward(
                gate: a.tensor.buffer,
                up: b.tensor.buffer,
                upstream: g.buffer,
                gateGradient: gradients.accumulator(0) ?? scratch(),
                upGradient: gradients.accumulator(1) ?? scratch()
            )
        }
        .recomputed()
    }

    /// Sum of all elements, shape `[1]`.
    public func sum() -> Variable {
        let y = Tensor([Scalar(Kernels.sum(value.buffer))], shape: [1])
        return .recorded("sum", inputs: [self], value: y) { g, gradients in
            guard let dx = gradients.accumulator(0) else { return }
            let ones = Buffer<Scalar>(count: dx.count)
            ones.fill(g.item)
            Kernels.accumulate(ones, into: dx)
        }
    }

    /// Mean of all elements, shape `[1]`.
    public func mean() -> Variable { sum().scaled(by: 1 / Scalar(value.count)) }
}
