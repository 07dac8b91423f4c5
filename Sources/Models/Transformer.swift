import Autograd
import Checkpoints
import Kernels

/// Token sequences that go through a model in one pass, laid end to end.
public struct TokenBatch {
    /// All tokens, sequence after sequence.
    public let tokens: [Int32]
    /// Rows of each sequence.
    public let sequences: [Range<Int>]
    /// Past of each sequence, extended by the pass; empty to start all at position 0 and keep
    /// nothing.
    public let caches: [KVCache]

    /// A batch of whole sequences.
    public init(_ sequences: [[Int32]]) { self.init(sequences, caches: []) }

    /// A batch that continues sequences.
    ///
    /// - Precondition: one cache a sequence.
    public init(_ sequences: [[Int32]], caches: [KVCache]) {
        precondition(
            caches.isEmpty || caches.count == sequences.count,
            "batch: \(sequences.count) sequences, \(caches.count) caches"
        )
        tokens = Array(sequences.joined())
        var start = 0
        self.sequences = sequences.map { sequence in
            defer { start += sequence.count }
            return start..<start + sequence.count
        }
        self.caches = caches
    }

    /// Position of each row in its sequence.
    var positions: [Int] {
        sequences.indices.flatMap { index in
            let past = caches.isEmpty ? 0 : caches[index].length
            return past..<past + sequences[index].count
        }
    }
}

/// Gives a transformer its weights, by published name.
public protocol WeightProvider<Scalar> {
    /// Element type of trainable weights.
    associatedtype Scalar: KernelScalar
    /// A `[rows, columns]` matrix.
    func matrix(_ name: String, rows: Int, columns: Int) throws -> Matrix<Scalar>
    /// A vector.
    func vector(_ name: String, count: Int) throws -> Parameter<Scalar>
    /// The adapter of the linear map at a path, such as `model.layers.0.self_attn.q_proj`; nil for
    /// none.
    func adapter(_ path: String, outputs: Int, inputs: Int) throws -> Adapter<Scalar>?
}

extension WeightProvider {
    /// None: most models are trained whole, or not at all.
    public func adapter(_ path: String, outputs: Int, inputs: Int) -> Adapter<Scalar>? { nil }
}

/// A decoder-only transformer of any known family; see `ModelFamily`.
///
/// The forward pass is written once. On a tape it trains, off it scores, and with caches it
/// decodes. Weights are trainable parameters or stay as their file stores them.
public final class Transformer<Scalar: KernelScalar> {
    /// Sizes and constants.
    public let configuration: ModelConfiguration
    /// What a recorded pass computes again instead of keeping it; changes memory and speed only.
    public var recomputation = Recomputation.none
    private let embedding: Matrix<Scalar>
    private let layers: [DecoderLayer<Scalar>]
    private let norm: RMSNorm<Scalar>
    private let untiedHead: Matrix<Scalar>?
    private let rope: RoPE

    /// Builds the network, fetching every weight by its published name.
    ///
    /// - Parameters:
    ///   - configuration: Sizes and constants.
    ///   - weights: What gives the weights.
    ///   - packsStored: Whether stored matrices also get the layout of decoding's products, in as
    ///     many bytes again; training reads the stored blocks alone.
    /// - Throws: What the provider throws.
    public init(
        _ configuration: ModelConfiguration,
        weights: some WeightProvider<Scalar>,
        packsStored: Bool = true
    ) throws {
        let c = configuration
        self.configuration = c
        let shape = AttentionShape(
            queryHeads: c.queryHeadCount,
            keyValueHeads: c.keyValueHeadCount,
            headDimension: c.headDimension,
            scale: 1 / Double(c.headDimension).squareRoot()
        )
        let queryWidth = c.queryHeadCount * c.headDimension
        let keyWidth = c.keyValueHeadCount * c.headDimension

        func packed(_ matrix: Matrix<Scalar>) -> Matrix<Scalar> {
            packsStored ? matrix.packedForProducts() : matrix
        }
        func linear(_ name: String, _ outputs: Int, _ inputs: Int, bias: Bool = false) throws
            -> Linear<Scalar>
        {
            Linear(
                weight: packed(
                    try weights.matrix("\(name).weight", rows: outputs, columns: inputs)
                ),
                bias: bias ? try weights.vector("\(name).bias", count: outputs) : nil,
                adapter: try weights.adapter(name, outputs: outputs, inputs: inputs)
            )
        }
        func rmsNorm(_ name: String, _ count: Int) throws -> RMSNorm<Scalar> {
            RMSNorm(
                weight: try weights.vector("\(name).weight", count: count),
                epsilon: c.rmsNormEpsilon
            )
        }

        let names = c.family.names
        func head(_ name: TensorNames.Name) throws -> Matrix<Scalar> {
            try weights.matrix(name.weight, rows: c.vocabularySize, columns: c.hiddenSize)
        }
        let table = try head(names.embedding)
        embedding = c.tiesWordEmbeddings ? packed(table) : table
        layers = try (0..<c.layerCount).map { index in
            func part(_ part: TensorNames.Name) -> String { names.path(index, part) }
            func projection(_ name: TensorNames.Name, _ width: Int) throws -> Linear<Scalar> {
                try linear(part(name), width, c.hiddenSize, bias: c.hasAttentionBias)
            }
            return DecoderLayer(
                inputNorm: try rmsNorm(part(names.inputNorm), c.hiddenSize),
                attention: Attention(
                    query: try projection(names.query, queryWidth),
                    key: try projection(names.key, keyWidth),
                    value: try projection(names.value, keyWidth),
                    output: try linear(part(names.output), c.hiddenSize, queryWidth),
                    queryNorm: try names.queryNorm.map { try rmsNorm(part($0), c.headDimension) },
                    keyNorm: try names.keyNorm.map { try rmsNorm(part($0), c.headDimension) },
                    shape: shape,
                    layer: index,
                    isRotated: c.isRotated(layer: index)
                ),
                feedForwardNorm: try rmsNorm(part(names.feedForwardNorm), c.hiddenSize),
                mlp: GatedMLP(
                    gate: try linear(part(names.gate), c.intermediateSize, c.hiddenSize),
                    up: try linear(part(names.up), c.intermediateSize, c.hiddenSize),
                    down: try linear(part(names.down), c.hiddenSize, c.intermediateSize)
                )
            )
        }
        norm = try rmsNorm(names.norm.published, c.hiddenSize)
        untiedHead = c.tiesWordEmbeddings ? nil : packed(try head(names.head))
        rope = RoPE(theta: c.ropeTheta, headDimension: c.headDimension, scaling: c.ropeScaling)
    }

    /// All weights that are not stored ones, in the order of the network, without adapters.
    public var parameters: [Parameter<Scalar>] {
        embedding.parameters + layers.flatMap(\.parameters) + [norm.weight]
            + (untiedHead?.parameters ?? [])
    }

    /// The factors of all low-rank updates, in the order of the network.
    public var adapters: [Parameter<Scalar>] { layers.flatMap(\.adapters) }

    /// What training changes: the adapters where there are any, otherwise all weights.
    public var trained: [Parameter<Scalar>] { adapters.isEmpty ? parameters : adapters }

    /// Bytes of the matrices that stay as stored.
    public var storedBytes: Int {
        let linears = layers.flatMap { $0.attention.linears + $0.mlp.linears }
        return ([embedding] + linears.map(\.weight) + (untiedHead.map { [$0] } ?? []))
            .reduce(0) { sum, matrix in
                guard case .stored(let stored) = matrix else { return sum }
                return sum + stored.bytes.count
            }
    }

    /// Bytes of all weights as they are kept.
    public var byteCount: Int {
        storedBytes
            + (parameters + adapters)
            .reduce(0) { $0 + $1.value.count * MemoryLayout<Scalar>.size }
    }

    /// The language-model head, `[vocabulary, hidden]`.
    public func head(on tape: Tape<Scalar>?) -> Weight<Scalar> {
        (untiedHead ?? embedding).on(tape)
    }

    /// What the head is applied to, `[rows, hidden]`: the residual stream behind the last layer,
    /// normalised.
    public func hidden(_ batch: TokenBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        norm(residual(batch, on: tape))
    }

    /// The residual stream behind the last layer, `[rows, hidden]`.
    private func residual(_ batch: TokenBatch, on tape: Tape<Scalar>?) -> Variable<Scalar> {
        let positions = batch.positions
        precondition(
            configuration.longestSequence.map { (positions.max() ?? 0) < $0 } ?? true,
            "transformer: a sequence leaves the sliding window; see LanguageModel.checkContext"
        )
        let (cosines, sines): (Tensor<Scalar>, Tensor<Scalar>) = rope.angles(positions)
        let rows = RowLayout(
            sequences: batch.sequences,
            caches: batch.caches,
            cosines: cosines,
            sines: sines,
            recomputation: recomputation
        )
        var x = Variable<Scalar>.embedding(embedding.on(tape), ids: batch.tokens, on: tape)
        for layer in layers { x = layer(x, rows) }
        for (cache, range) in zip(batch.caches, batch.sequences) { cache.advance(by: range.count) }
        return x
    }

    /// Logits of the wanted rows, `[wanted.count, vocabulary]`; the head is applied to those only.
    @_specialize(where Scalar == Float)
    public func logits(_ batch: TokenBatch, wanted: [Int]) -> Tensor<Scalar> {
        let x = residual(batch, on: nil).value
        let picked = Tensor<Scalar>(uninitialized: [wanted.count, x.columns])
        gatherRows(x.buffer, columns: x.columns, ids: wanted.map(Int32.init), into: picked.buffer)
        return norm(Variable(picked)).linear(head(on: nil)).value
    }

    /// Σ over rows of coefficient · cross-entropy of the row's target, shape `[1]`.
    ///
    /// - Parameters:
    ///   - batch: The sequences, without caches.
    ///   - targets: One id a row, negative where there is none.
    ///   - coefficients: One factor a row, such as 1 / all target tokens of the step.
    ///   - tape: Where the pass is recorded; nil to score only.
    /// - Returns: Shape `[1]`.
    public func loss(
        _ batch: TokenBatch,
        targets: [Int32],
        coefficients: [Scalar],
        on tape: Tape<Scalar>?
    ) -> Variable<Scalar> {
        .headCrossEntropy(
            hidden: hidden(batch, on: tape),
            head: head(on: tape),
            targets: targets,
            coefficients: coefficients
        )
    }
}
