import Kernels

/// The two factors of a low-rank update of a linear map, and the update's scale.
public struct LowRank<Scalar: KernelScalar> {
    /// `[rank, inputs]`.
    public let a: Variable<Scalar>
    /// `[outputs, rank]`.
    public let b: Variable<Scalar>
    /// Factor of B A; α / rank in the paper.
    public let scale: Scalar

    /// Joins two factors.
    ///
    /// - Precondition: `a` has as many rows as `b` has columns.
    public init(a: Variable<Scalar>, b: Variable<Scalar>, scale: Scalar) {
        precondition(
            a.value.rows == b.value.columns,
            "low rank: factors \(a.shape) and \(b.shape) have two ranks"
        )
        self.a = a
        self.b = b
        self.scale = scale
    }
}

extension Variable {
    /// Applies a linear map with a low-rank update to every row: y = x Wᵀ + b + s (x Aᵀ) Bᵀ.
    ///
    /// The updated matrix W + s B A never exists, so W may stay quantised. Keeps x Aᵀ,
    /// `[rows, rank]`, times s, for the backward pass.
    /// Source: Hu et al. 2021, arXiv:2106.09685, eq. 3.
    ///
    /// - Precondition: the receiver is `[rows, inputs]`, the weight `[outputs, inputs]`, the bias
    ///   `[outputs]`; the update has the weight's inputs and outputs.
    /// - Returns: `[rows, outputs]`.
    @_specialize(where Scalar == Float)
    public func linear(
        _ weight: Weight<Scalar>,
        bias: Variable? = nil,
        update: LowRank<Scalar>?
    ) -> Variable {
        let h = linear(weight, bias: bias)
        guard let update else { return h }
        let (input, a, b, s) = (saved, update.a.value, update.b.value, update.scale)
        let (rows, inputs, outputs, rank) = (value.rows, value.columns, b.rows, a.rows)
        precondition(
            a.columns == inputs && h.value.columns == outputs,
            "low rank: factors \(a.shape), \(b.shape) of a map from \(inputs) to \(h.value.columns)"
        )
        let z = Buffer<Scalar>(count: rows * rank)
        let operands = [h, self, update.a, update.b]
        let arithmetic = operands.arithmetic()
        let isRecorded = operands.contains(where: \.isRecorded)
        /// The update goes into the memory of h, which nothing else reads.
        func updated(_ x: Tensor<Scalar>, _ y: Tensor<Scalar>) -> Tensor<Scalar> {
            guard isRecorded else {
                unrecordedUpdate(x.buffer, rows: rows, a, b, scale: s, through: z, into: y.buffer)
                return y
            }
            gemm(
                x.buffer,
                a.buffer,
                transposeB: true,
                into: z,
                m: rows,
                n: rank,
                k: inputs,
                arithmetic
            )
            scale(z, by: s, into: z)
            gemm(
                z,
                b.buffer,
                transposeB: true,
                into: y.buffer,
                m: rows,
                n: outputs,
                k: rank,
                isAdding: true,
                arithmetic
            )
            return y
        }
        return .recorded(
            "lowRank",
            inputs: operands,
            saved: Saved(updated(value, h.value)),
            remake: h.remake.map { base in { updated(input.tensor, base()) } }
        ) { g, gradients in
            // With z = s x Aᵀ and u = s g B:   ∂x = u A,   ∂A = uᵀ x,   ∂B = gᵀ z,   ∂h = g
            var products: [MatrixProduct<Scalar>] = []
            if gradients.isWanted(1) || gradients.isWanted(2) {
                let u = Buffer<Scalar>(count: rows * rank)
                gemm(g.buffer, b.buffer, into: u, m: rows, n: rank, k: outputs, arithmetic)
                scale(u, by: s, into: u)
                if let (dx, isAdding) = gradients.destination(1) {
                    products.append(
                        MatrixProduct(
                            u,
                            a.buffer,
                            into: dx,
                            m: rows,
                            n: inputs,
                            k: rank,
                            isAdding: isAdding
                        )
                    )
                }
                if let (da, isAdding) = gradients.destination(2) {
                    products.append(
                        MatrixProduct(
                            u,
                            transposeA: true,
                            input.tensor.buffer,
                            into: da,
                            m: rank,
                            n: inputs,
                            k: rows,
                            isAdding: isAdding
                        )
                    )
                }
            }
            if let (db, isAdding) = gradients.destination(3) {
                products.append(
                    MatrixProduct(
                        g.buffer,
                        transposeA: true,
                        z,
                        into: db,
                        m: outputs,
                        n: rank,
                        k: rows,
                        isAdding: isAdding
                    )
                )
            }
            gemm(products, arithmetic)
            gradients.passUpstream(to: 0)
        }
    }
}

/// y += s (x Aᵀ) Bᵀ by products whose additions have one order whatever the number of rows.
private func unrecordedUpdate<Scalar: KernelScalar>(
    _ x: Buffer<Scalar>,
    rows: Int,
    _ a: Tensor<Scalar>,
    _ b: Tensor<Scalar>,
    scale: Scalar,
    through z: Buffer<Scalar>,
    into y: Buffer<Scalar>
) {
    func product(_ x: Buffer<Scalar>, _ factor: Tensor<Scalar>, into y: Buffer<Scalar>) {
        Kernels.linear(
            x,
            rows: rows,
            weight: factor.buffer,
            outputs: factor.rows,
            inputs: factor.columns,
            bias: nil,
            into: y
        )
    }
    let difference = Buffer<Scalar>(count: y.count)
    product(x, a, into: z)
    product(z, b, into: difference)
    accumulate(difference, scale: scale, into: y)
}
