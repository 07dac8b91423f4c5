import Autograd
import Kernels

/// A weight matrix: trainable, or kept as its file stores it.
public enum Matrix<Scalar: KernelScalar> {
    /// Dense numbers that can be trained.
    case parameter(Parameter<Scalar>)
    /// Blocks as stored, never widened whole.
    case stored(StoredMatrix)

    /// The matrix as an operand on a tape, or off it.
    func on(_ tape: Tape<Scalar>?) -> Weight<Scalar> {
        switch self {
        case .parameter(let parameter): .dense(parameter.on(tape))
        case .stored(let matrix): .stored(matrix)
        }
    }

    var parameters: [Parameter<Scalar>] {
        if case .parameter(let parameter) = self { [parameter] } else { [] }
    }

    /// Ready for many products, which a table that is only looked up need not be.
    func packedForProducts() -> Matrix {
        if case .stored(let matrix) = self { .stored(matrix.packedForProducts()) } else { self }
    }
}

/// A linear map with an optional bias and an optional low-rank update: y = x Wᵀ + b + s (x Aᵀ) Bᵀ.
struct Linear<Scalar: KernelScalar> {
    /// `[outputs, inputs]`.
    let weight: Matrix<Scalar>
    /// `[outputs]`.
    let bias: Parameter<Scalar>?
    /// The update; then weight and bias are frozen.
    var adapter: Adapter<Scalar>? = nil

    func callAsFunction(_ x: Variable<Scalar>) -> Variable<Scalar> {
        x.linear(weight.on(x.tape), bias: bias?.on(x.tape), update: adapter?.on(x.tape))
    }

    /// What maps of the same rows give, computed together where that is faster.
    static func apply(_ maps: [Linear], to x: Variable<Scalar>) -> [Variable<Scalar>] {
        guard maps.allSatisfy({ $0.adapter == nil }) else { return maps.map { $0(x) } }
        return x.linear(maps.map { ($0.weight.on(x.tape), $0.bias?.on(x.tape)) })
    }

    var parameters: [Parameter<Scalar>] { weight.parameters + (bias.map { [$0] } ?? []) }
}

/// RMSNorm with a learned gain.
struct RMSNorm<Scalar: KernelScalar> {
    /// `[hidden]`, or `[D]` when it normalises heads.
    let weight: Parameter<Scalar>
    let epsilon: Double

    func callAsFunction(_ x: Variable<Scalar>) -> Variable<Scalar> {
        x.rmsNorm(weight: weight.on(x.tape), epsilon: Scalar(epsilon))
    }
}

/// SwiGLU feed-forward block: down(silu(gate(x)) ∘ up(x)).
struct GatedMLP<Scalar: KernelScalar> {
    let gate: Linear<Scalar>
    let up: Linear<Scalar>
    let down: Linear<Scalar>

    func callAsFunction(_ x: Variable<Scalar>, _ rows: RowLayout<Scalar>) -> Variable<Scalar> {
        let isRecomputed = rows.recomputation >= .feedForward
        let inner = Linear.apply([gate, up], to: x).map { $0.recomputed(when: isRecomputed) }
        return down(inner[0].swiGLU(up: inner[1]))
    }

    var linears: [Linear<Scalar>] { [gate, up, down] }
}

/// What the rows of one pass are: which sequence and position each belongs to.
struct RowLayout<Scalar: KernelScalar> {
    /// Rows of each sequence.
    let sequences: [Range<Int>]
    /// Past of each sequence; empty when sequences start at position 0 and nothing is kept.
    let caches: [KVCache]
    /// `[rows, D / 2]`.
    let cosines: Tensor<Scalar>
    /// `[rows, D / 2]`.
    let sines: Tensor<Scalar>
    /// What a recorded pass does not keep.
    let recomputation: Recomputation
}

/// Causal self-attention with grouped key-value heads.
struct Attention<Scalar: KernelScalar> {
    let query: Linear<Scalar>
    let key: Linear<Scalar>
    let value: Linear<Scalar>
    let output: Linear<Scalar>
    let queryNorm: RMSNorm<Scalar>?
    let keyNorm: RMSNorm<Scalar>?
    let shape: AttentionShape
    let layer: Int
    let isRotated: Bool

    func callAsFunction(_ x: Variable<Scalar>, _ rows: RowLayout<Scalar>) -> Variable<Scalar> {
        let isRecomputed = rows.recomputation >= .layers
        let projections = Linear.apply([query, key, value], to: x)
            .map { $0.recomputed(when: isRecomputed) }
        let (q, k, v) = (projections[0], projections[1], projections[2])
        func rotated(_ x: Variable<Scalar>, heads: Int) -> Variable<Scalar> {
            guard isRotated else { return x }
            return x.rotated(heads: heads, cosines: rows.cosines, sines: rows.sines)
        }
        let queries = rotated(queryNorm?(q) ?? q, heads: shape.queryHeads)
        let keys = rotated(keyNorm?(k) ?? k, heads: shape.keyValueHeads)
        guard !rows.caches.isEmpty else {
            return output(
                .causalAttention(
                    queries: queries,
                    keys: keys,
                    values: v,
                    sequences: rows.sequences,
                    layout: shape
                )
                .recomputed(when: isRecomputed)
            )
            .recomputed(when: isRecomputed)
        }
        return output(attendingToCache(queries: queries, keys: keys, values: v, rows))
    }

    private func attendingToCache(
        queries: Variable<Scalar>,
        keys: Variable<Scalar>,
        values: Variable<Scalar>,
        _ rows: RowLayout<Scalar>
    ) -> Variable<Scalar> {
        precondition(!queries.isRecorded, "attention: a cache cannot be trained through")
        guard let queries = queries.value as? Tensor<Float>,
            let keys = keys.value as? Tensor<Float>, let values = values.value as? Tensor<Float>
        else { preconditionFailure("attention: caches hold float32") }
        // Each new position touches a line of memory for every column of the keys.
        ThreadPool.forEach(rows.caches.count, grain: 4) { part in
            for index in part {
                let range = rows.sequences[index]
                rows.caches[index].store(
                    layer: layer,
                    keys: keys.rows(range).buffer,
                    values: values.rows(range).buffer
                )
            }
        }
        let segments = zip(rows.sequences, rows.caches).map { range, cache in
            AttentionSegment(
                start: range.lowerBound,
                count: range.count,
                past: cache.length,
                memory: cache.memory(layer: layer)
            )
        }
        let y = Tensor<Float>(uninitialized: queries.shape)
        Kernels.causalAttention(
            queries: queries.buffer,
            segments: segments,
            shape: shape,
            into: y.buffer,
            logSumExp: nil
        )
        guard let result = y as? Tensor<Scalar> else { preconditionFailure("unreachable") }
        return Variable(result)
    }

    var linears: [Linear<Scalar>] { [query, key, value, output] }

    var norms: [Parameter<Scalar>] { [queryNorm, keyNorm].compactMap { $0?.weight } }
}

/// One decoder layer: x + attention(norm(x)), then x + mlp(norm(x)).
struct DecoderLayer<Scalar: KernelScalar> {
    let inputNorm: RMSNorm<Scalar>
    let attention: Attention<Scalar>
    let feedForwardNorm: RMSNorm<Scalar>
    let mlp: GatedMLP<Scalar>

    func callAsFunction(_ x: Variable<Scalar>, _ rows: RowLayout<Scalar>) -> Variable<Scalar> {
        let h = (x + attention(inputNorm(x), rows))
            .recomputed(when: rows.recomputation >= .layers)
        return h + mlp(feedForwardNorm(h), rows)
    }

    var parameters: [Parameter<Scalar>] {
        [inputNorm.weight] + attention.linears.flatMap(\.parameters) + attention.norms
            + [feedForwardNorm.weight] + mlp.linears.flatMap(\.parameters)
    }

    var adapters: [Parameter<Scalar>] {
        (attention.linears + mlp.linears).flatMap { $0.adapter?.parameters ?? [] }
    }
}
