import Kernels

extension Variable {
    /// Causal attention with grouped heads inside each of several sequences laid end to end.
    ///
    /// Row t of a sequence attends to rows 0...t of the same sequence, so packed sequences never
    /// see each other. No T x T matrix exists: the forward pass keeps log Σ exp per row and head,
    /// and the backward pass recomputes probabilities tile by tile.
    /// Source: Vaswani et al. 2017, arXiv:1706.03762, eq. 1; Dao 2023, arXiv:2307.08691,
    /// algorithms 1 and 2; Ainslie et al. 2023, arXiv:2305.13245.
    ///
    /// - Parameters:
    ///   - queries: `[rows, queryHeads · D]`.
    ///   - keys: `[rows, keyValueHeads · D]`.
    ///   - values: `[rows, keyValueHeads · D]`.
    ///   - sequences: Row ranges, one a sequence.
    ///   - layout: Head counts, head dimension and the scale of the scores.
    /// - Returns: `[rows, queryHeads · D]`.
    public static func causalAttention(
        queries: Variable,
        keys: Variable,
        values: Variable,
        sequences: [Range<Int>],
        layout: AttentionShape
    ) -> Variable {
        let (q, k, v) = (queries.value, keys.value, values.value)
        precondition(
            q.columns == layout.queryHeads * layout.headDimension
                && k.columns == layout.keyValueHeads * layout.headDimension && k.shape == v.shape
                && q.rows == k.rows,
            "causalAttention: queries \(q.shape), keys \(k.shape), values \(v.shape)"
        )
        let (savedQ, savedK, savedV) = (queries.saved, keys.saved, values.saved)
        let logSumExp = Buffer<Scalar>(count: q.rows * layout.queryHeads)
        func segments(_ k: Tensor<Scalar>, _ v: Tensor<Scalar>) -> [AttentionSegment<Scalar>] {
            sequences.map {
                AttentionSegment(
                    start: $0.lowerBound,
                    count: $0.count,
                    past: 0,
                    keys: k.rows($0).buffer,
                    values: v.rows($0).buffer
                )
            }
        }
        func attended(_ q: Tensor<Scalar>, _ k: Tensor<Scalar>, _ v: Tensor<Scalar>)
            -> Tensor<Scalar>
        {
            let y = Tensor<Scalar>(uninitialized: q.shape)
            Kernels.causalAttention(
                queries: q.buffer,
                segments: segments(k, v),
                shape: layout,
                into: y.buffer,
                logSumExp: logSumExp
            )
            return y
        }
        let output = Saved(attended(q, k, v))
        return recorded(
            "causalAttention",
            inputs: [queries, keys, values],
            saved: output,
            remake: { attended(savedQ.tensor, savedK.tensor, savedV.tensor) }
        ) { g, gradients in
            let (q, k, v) = (savedQ.tensor, savedK.tensor, savedV.tensor)
            // The kernel writes all three; an unwanted one goes to scratch.
            func destination(_ index: Int, _ like: Tensor<Scalar>) -> Buffer<Scalar> {
                gradients.accumulator(index) ?? .zeros(like.count)
            }
            Kernels.causalAttentionBackward(
                queries: q.buffer,
                output: output.tensor.buffer,
                logSumExp: logSumExp,
                upstream: g.buffer,
                segments: segments(k, v),
                shape: layout,
                queryGradient: destination(0, q),
                keyGradient: destination(1, k),
                valueGradient: destination(2, v)
            )
        }
    }
}
