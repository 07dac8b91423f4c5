import Testing

@testable import Kernels

/// Sequences of some lengths behind each other, with queries, keys and values.
private struct Batch<S: KernelScalar> {
    let shape: AttentionShape
    let lengths: [Int]
    let q, k, v, o, lse: Buffer<S>

    init(_ shape: AttentionShape, _ lengths: [Int]) {
        self.shape = shape
        self.lengths = lengths
        let rows = lengths.reduce(0, +)
        let width = shape.queryHeads * shape.headDimension
        let keyWidth = shape.keyValueHeads * shape.headDimension
        q = numbers(rows * width, 1)
        k = numbers(rows * keyWidth, 2)
        v = numbers(rows * keyWidth, 3)
        o = Buffer(count: rows * width)
        lse = Buffer(count: rows * shape.queryHeads)
    }

    var segments: [AttentionSegment<S>] {
        let width = shape.keyValueHeads * shape.headDimension
        var start = 0
        return lengths.map { count in
            defer { start += count }
            let range = start * width..<(start + count) * width
            return AttentionSegment(
                start: start,
                count: count,
                past: 0,
                keys: k[range],
                values: v[range]
            )
        }
    }

    func forward() -> [S] {
        causalAttention(queries: q, segments: segments, shape: shape, into: o, logSumExp: lse)
        return o.array + lse.array
    }

    func backward() -> [S] {
        _ = forward()
        let g: Buffer<S> = numbers(q.count, 4)
        let dq: Buffer<S> = numbers(q.count, 5)
        let dk: Buffer<S> = numbers(k.count, 6)
        let dv: Buffer<S> = numbers(v.count, 7)
        causalAttentionBackward(
            queries: q,
            output: o,
            logSumExp: lse,
            upstream: g,
            segments: segments,
            shape: shape,
            queryGradient: dq,
            keyGradient: dk,
            valueGradient: dv
        )
        return dq.array + dk.array + dv.array
    }
}

extension FloatKernels {
    static let attentionShapes = [
        AttentionShape(queryHeads: 1, keyValueHeads: 1, headDimension: 1),
        AttentionShape(queryHeads: 2, keyValueHeads: 2, headDimension: 7),
        AttentionShape(queryHeads: 6, keyValueHeads: 2, headDimension: 16),
        AttentionShape(queryHeads: 7, keyValueHeads: 1, headDimension: 33, scale: 0.2),
        AttentionShape(queryHeads: 4, keyValueHeads: 2, headDimension: 64),
        AttentionShape(queryHeads: 4, keyValueHeads: 2, headDimension: 16, window: 1),
        AttentionShape(queryHeads: 6, keyValueHeads: 2, headDimension: 7, window: 21),
        AttentionShape(queryHeads: 2, keyValueHeads: 1, headDimension: 16, window: 70),
    ]

    @Test(arguments: attentionShapes, instructionSets)
    func attentionMatchesDouble(_ shape: AttentionShape, on set: String) throws {
        let lengths = [1, 3, 17, 64, 65, 130]
        let fast = try on(set) {
            let batch = Batch<Float>(shape, lengths)
            return (batch.forward(), batch.backward())
        }
        let plain = Batch<Double>(shape, lengths)
        #expect(worstError(fast.0, plain.forward()) <= 3e-6)
        #expect(worstError(fast.1, plain.backward()) <= 2e-5)
        let portable = try on("portable") {
            let batch = Batch<Float>(shape, lengths)
            return (batch.forward(), batch.backward())
        }
        #expect(bits(fast.0) == bits(portable.0) && bits(fast.1) == bits(portable.1))
    }

    @Test(arguments: attentionShapes, instructionSets)
    func attentionRowsDoNotDependOnTheirBlock(_ shape: AttentionShape, on set: String) throws {
        let count = 139
        try on(set) {
            let whole = Batch<Float>(shape, [count])
            let expected = whole.forward()
            let width = shape.queryHeads * shape.headDimension
            for block in [1, 2, 3, 8, 16, 100] {
                for threads in [1, 2] {
                    let o = Buffer<Float>(count: whole.o.count)
                    let lse = Buffer<Float>(count: whole.lse.count)
                    let heads = shape.queryHeads
                    for first in stride(from: 0, to: count, by: block) {
                        let end = min(first + block, count)
                        // The queries alone; keys reach no further than the last of them.
                        let keys = end * shape.keyValueHeads * shape.headDimension
                        let segment = AttentionSegment(
                            start: 0,
                            count: end - first,
                            past: first,
                            keys: whole.k[0..<keys],
                            values: whole.v[0..<keys]
                        )
                        with(threads: threads) {
                            causalAttention(
                                queries: whole.q[first * width..<end * width],
                                segments: [segment],
                                shape: shape,
                                into: o[first * width..<end * width],
                                logSumExp: lse[first * heads..<end * heads]
                            )
                        }
                    }
                    #expect(bits(o.array + lse.array) == bits(expected), "blocks of \(block)")
                }
            }
        }
    }

    /// Pages hold keys by columns: the same bits as rows, whatever lies behind the last position.
    @Test(arguments: attentionShapes, instructionSets)
    func attentionToPagesIsAttentionToRows(_ shape: AttentionShape, on set: String) throws {
        let (count, length) = (139, KeyValuePage<Float>.length)
        let width = shape.keyValueHeads * shape.headDimension
        try on(set) {
            let whole = Batch<Float>(shape, [count])
            let expected = whole.forward()
            // The second layer of three.
            var pages = KeyValuePages<Float>(layerCount: 3, width: width)
            for _ in 0..<(count + length - 1) / length {
                let page = Buffer<Float>(count: pages.pageCount)
                page.fill(.nan)
                pages.append(page)
            }
            var first = 0
            // Runs of several lengths, none across a page.
            for run in [1, 2, 61, 64, 3, 1, 7] {
                let range = first * width..<(first + run) * width
                pages.page(first / length, layer: 1).store(
                    keys: whole.k[range],
                    values: whole.v[range],
                    at: first % length
                )
                first += run
            }
            #expect(first == count)
            for block in [1, 5, 139] {
                let row = shape.queryHeads * shape.headDimension
                let o = Buffer<Float>(count: whole.o.count)
                let lse = Buffer<Float>(count: whole.lse.count)
                for first in stride(from: 0, to: count, by: block) {
                    let end = min(first + block, count)
                    causalAttention(
                        queries: whole.q[first * row..<end * row],
                        segments: [
                            AttentionSegment(
                                start: 0,
                                count: end - first,
                                past: first,
                                memory: .pages(pages, layer: 1)
                            )
                        ],
                        shape: shape,
                        into: o[first * row..<end * row],
                        logSumExp: lse[first * shape.queryHeads..<end * shape.queryHeads]
                    )
                }
                #expect(bits(o.array + lse.array) == bits(expected), "blocks of \(block)")
            }
        }
    }

    @Test(arguments: instructionSets)
    func attentionGradientsDoNotDependOnThreads(on set: String) throws {
        let shape = AttentionShape(queryHeads: 6, keyValueHeads: 2, headDimension: 24)
        // The last sequence takes two phases.
        let batch = Batch<Float>(shape, [70, 5, 131, AttentionCell.length + 3])
        try on(set) {
            let one = with(threads: 1) { batch.backward() }
            for threads in [2, 64] {
                let several = with(threads: threads) { batch.backward() }
                #expect(bits(one) == bits(several), "\(threads) threads")
            }
        }
    }

    /// A sequence of several chunks, none of them a multiple of a tile.
    @Test(arguments: instructionSets)
    func longGradientsMatchDouble(on set: String) throws {
        let shape = AttentionShape(queryHeads: 2, keyValueHeads: 1, headDimension: 4, window: 700)
        let lengths = [2 * AttentionCell.length + 100]
        let exact = Batch<Double>(shape, lengths).backward()
        let fast = try on(set) { Batch<Float>(shape, lengths).backward() }
        #expect(worstError(fast, exact) < 1e-4)
    }
}
