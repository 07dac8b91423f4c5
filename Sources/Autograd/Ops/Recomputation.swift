import Kernels

extension Variable {
    /// Runs part of a network without keeping its inner values, and runs it again when its
    /// gradients are due (activation checkpointing).
    ///
    /// Costs one more forward pass of the part; keeps only its input and output.
    /// Source: Chen et al. 2016, arXiv:1604.06174.
    ///
    /// - Parameter body: The part. Uses parameters through `Parameter.on(_:)` with the tape it is
    ///   given, and is a pure function of its input.
    /// - Returns: The part's output.
    public func recomputing(_ body: @escaping (Variable, Tape<Scalar>) -> Variable) -> Variable {
        let x = value
        // Recorded and thrown away: the same kernels run now and in the backward pass.
        let forward = Tape<Scalar>()
        let y = body(forward.variable(x), forward).value
        return .recorded("recomputing", inputs: [self], value: y) { g, gradients in
            let tape = Tape<Scalar>()
            let input = tape.variable(x)
            tape.backward(from: body(input, tape), upstream: g)
            if let dx = tape.gradient(of: input) { gradients.add(dx, to: 0) }
        }
    }
}
