import Kernels

extension Variable {
    /// Applies several linear maps to every row, with the same results as one by one.
    ///
    /// Off the tape, products with stored weights round their common input once and are one loop of
    /// the threads, which small batches feel.
    ///
    /// - Precondition: As for each map alone.
    /// - Returns: A `[rows, outputs]` for each map.
    @_specialize(where Scalar == Float)
    public func linear(_ maps: [(weight: Weight<Scalar>, bias: Variable?)]) -> [Variable] {
        let stored = maps.compactMap { map in
            if case .stored(let matrix) = map.weight { matrix } else { nil }
        }
        guard tape == nil, stored.count == maps.count else {
            return maps.map { linear($0.weight, bias: $0.bias) }
        }
        let rows = value.rows
        let outputs = stored.map { Tensor<Scalar>(uninitialized: [rows, $0.rows]) }
        Kernels.linear(
            value.buffer,
            rows: rows,
            maps.indices.map { index in
                StoredProduct(
                    weight: stored[index],
                    bias: maps[index].bias?.value.buffer,
                    output: outputs[index].buffer
                )
            }
        )
        return outputs.map { Variable($0) }
    }
}
