import CKernels

/// entropies[r] = -Σ S ln S, in nats, of S = softmax(logits[r, ·]).
///
/// `logits` is `[rows, columns]`; `logSumExp`, `[rows]`, is what `crossEntropy` gives.
@_specialize(where S == Float)
@_specialize(where S == Double)
public func entropy<S: KernelScalar>(
    logits: Buffer<S>,
    rows: Int,
    logSumExp: Buffer<S>,
    into entropies: Buffer<S>
) {
    guard rows > 0 else { return }
    let columns = logits.count / rows
    precondition(
        logits.count == rows * columns && logSumExp.count == rows && entropies.count == rows,
        "entropy: \(logits.count) logits, \(entropies.count) entropies of \(rows) rows"
    )
    let blockSize = min(columns, 4096)
    ThreadPool.forEach(rows, grain: 1) { range in
        let (logarithms, terms) = (Buffer<S>(count: blockSize), Buffer<S>(count: blockSize))
        let (a, b) = (logarithms.base, terms.base)
        for row in range {
            let (z, shift) = (logits.base + row * columns, logSumExp[row])
            var sum = 0.0
            for start in stride(from: 0, to: columns, by: blockSize) {
                let count = min(blockSize, columns - start)
                for index in 0..<count { a[index] = z[start + index] - shift }
                S.kernels.activate(Int32(CK_EXP.rawValue), count, a, b)
                // A token of probability 0 has no part, whatever its logarithm.
                for index in 0..<count { b[index] = b[index] > 0 ? b[index] * a[index] : 0 }
                sum -= Double(S.kernels.sum(count, b))
            }
            entropies[row] = S(sum)
        }
    }
}
