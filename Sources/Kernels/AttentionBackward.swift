import CKernels

/// One task of attention's backward pass: rows of a query head against keys that they may see.
struct AttentionCell {
    var segment: Int
    var head: Int
    var keys: Range<Int>
    var rows: Range<Int>

    /// Pairs of a row and a key that it sees.
    var cost: Int {
        keys == rows ? rows.count * (rows.count + 1) / 2 : rows.count * keys.count
    }

    /// Rows and keys of a cell are at most so many: fewer are read more often than they need to be, and
    /// more do not fit into a core's cache (twice as many cost 5 % at 2048 positions, half 7 % at 512).
    static let length = 512

    /// The tasks, phase after phase; those of a phase touch no gradient that another of them does.
    ///
    /// A sequence is cut into equal chunks. First each chunk's rows meet its own keys, then those of the
    /// chunk before, then of the one before that: so every gradient is added up in one order, which
    /// depends on the sequence's length alone.
    static func phases(lengths: [Int], queryHeads: Int) -> [[AttentionCell]] {
        let tile = Int(CK_PAGE)
        let chunks = lengths.map { length in
            let count = (length + Self.length - 1) / Self.length
            let step = (length + tile * max(count, 1) - 1) / (tile * max(count, 1)) * tile
            return stride(from: 0, to: length, by: max(step, tile)).map {
                $0..<min($0 + step, length)
            }
        }
        return (0..<(chunks.map(\.count).max() ?? 0)).map { distance in
            chunks.enumerated().flatMap { segment, chunks in
                zip(chunks, chunks.dropFirst(distance)).flatMap { keys, rows in
                    (0..<queryHeads).map {
                        AttentionCell(segment: segment, head: $0, keys: keys, rows: rows)
                    }
                }
            }
            // Long tasks first, so that none is left over at the end.
            .sorted { $0.cost > $1.cost }
        }
    }
}

/// Memory that the parts of a backward pass share, for all sequences behind each other.
private struct AttentionWorkspace<S: KernelScalar> {
    /// First row of each sequence, counted in whole tiles of rows.
    let starts: [Int]
    let keysByColumn, valuesByColumn, delta, keyGradients, valueGradients: Buffer<S>

    init(lengths: [Int], shape: AttentionShape) {
        let tile = Int(CK_PAGE)
        var (starts, rows) = ([Int](), 0)
        for length in lengths {
            starts.append(rows)
            rows += (length + tile - 1) / tile * tile
        }
        self.starts = starts
        let width = shape.keyValueHeads * shape.headDimension
        keysByColumn = Buffer(count: rows * width)
        valuesByColumn = Buffer(count: rows * width)
        delta = Buffer(count: rows * shape.queryHeads)
        keyGradients = Buffer(count: rows * shape.queryHeads * shape.headDimension)
        valueGradients = Buffer(count: rows * shape.queryHeads * shape.headDimension)
    }
}

/// Backward of `causalAttention` for segments with `past` 0; all gradients are accumulated.
///
/// Probabilities are computed again from `logSumExp`, tile by tile. Heads that share keys have gradients
/// of their own first, which are added up in the order of heads: tasks are as many as query heads, and
/// more for long sequences.
///
/// - Parameters:
///   - queries: Flat rows of `[H * D]`.
///   - output: What the forward pass gave.
///   - logSumExp: What the forward pass kept.
///   - upstream: As `output`.
///   - segments: As in the forward pass.
///   - shape: Heads and scale.
///   - queryGradient: As `queries`.
///   - keyGradient: Flat rows of `[K * D]`, aligned with the query rows.
///   - valueGradient: As `keyGradient`.
public func causalAttentionBackward<S: KernelScalar>(
    queries: Buffer<S>,
    output: Buffer<S>,
    logSumExp: Buffer<S>,
    upstream: Buffer<S>,
    segments: [AttentionSegment<S>],
    shape: AttentionShape,
    queryGradient: Buffer<S>,
    keyGradient: Buffer<S>,
    valueGradient: Buffer<S>
) {
    let row = shape.queryHeads * shape.headDimension
    let keyRow = shape.keyValueHeads * shape.headDimension
    precondition(
        output.count == queries.count && upstream.count == queries.count
            && queryGradient.count == queries.count
            && logSumExp.count * shape.headDimension == queries.count
            && keyGradient.count * shape.group == queries.count
            && valueGradient.count == keyGradient.count,
        "causalAttentionBackward: \(queries.count) query elements, \(keyGradient.count) key gradients"
    )
    for segment in segments {
        precondition(segment.past == 0, "causalAttentionBackward: past \(segment.past)")
        check("causalAttentionBackward", segment, shape: shape, queryCount: queries.count)
    }
    let lengths = segments.map(\.count)
    let room = AttentionWorkspace<S>(lengths: lengths, shape: shape)
    let operands = zip(segments, room.starts).map { segment, start in
        guard case .rows(let keys, let values) = segment.memory else {
            preconditionFailure("causalAttentionBackward: pages")
        }
        let (q, k) = (segment.start * row, segment.start * keyRow)
        return ck_attention_gradient(
            count: segment.count,
            q: queries.base + q,
            keys: keys.base,
            values: values.base,
            out: output.base + q,
            log_sum_exp: logSumExp.base + segment.start * shape.queryHeads,
            upstream: upstream.base + q,
            dq: queryGradient.base + q,
            dk: keyGradient.base + k,
            dv: valueGradient.base + k,
            keys_by_column: room.keysByColumn.base + start * keyRow,
            values_by_column: room.valuesByColumn.base + start * keyRow,
            delta: room.delta.base + start * shape.queryHeads,
            dk_by_head: room.keyGradients.base + start * row,
            dv_by_head: room.valueGradients.base + start * row
        )
    }
    let phases = AttentionCell.phases(lengths: lengths, queryHeads: shape.queryHeads)
    let tiles = lengths.enumerated().flatMap { segment, length in
        stride(from: 0, to: length, by: Int(CK_PAGE)).map { (segment: segment, first: $0) }
    }
    // Below some 20 microseconds of work, waking a thread costs more than it brings.
    let pairs = phases.joined().reduce(0) { $0 + $1.cost }
    let grain = pairs * shape.headDimension < 1 << 16 ? Int.max : 1
    operands.withUnsafeBufferPointer { operands in
        withUnsafePointer(to: shape.c) { heads in
            guard let operands = operands.baseAddress else { return }
            ThreadPool.forEach(tiles.count, grain: grain) { range in
                for (segment, first) in tiles[range] {
                    S.kernels.attention_backward_start(heads, operands + segment, first)
                }
            }
            for cells in phases {
                ThreadPool.forEach(cells.count, grain: grain) { range in
                    for cell in cells[range] {
                        S.kernels.attention_backward(
                            heads,
                            operands + cell.segment,
                            cell.head,
                            cell.keys.lowerBound,
                            cell.keys.count,
                            cell.rows.lowerBound,
                            cell.rows.count
                        )
                    }
                }
            }
            ThreadPool.forEach(tiles.count, grain: grain) { range in
                for (segment, first) in tiles[range] {
                    S.kernels.attention_backward_end(heads, operands + segment, first)
                }
            }
        }
    }
    withExtendedLifetime((segments, room)) {}
}
