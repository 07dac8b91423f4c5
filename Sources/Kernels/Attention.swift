import CKernels

/// Heads and scale of grouped attention.
public struct AttentionShape: Sendable, Equatable {
    /// Heads of the queries, H.
    public var queryHeads: Int
    /// Heads of keys and values, K; query head h reads head h / (H / K).
    public var keyValueHeads: Int
    /// Numbers in a head, D.
    public var headDimension: Int
    /// Factor of the scores, commonly 1 / √D.
    public var scale: Double
    /// How many positions a row looks at, itself and those right before; nil for all before.
    public var window: Int?

    /// Describes the heads; the scale is 1 / √D unless given.
    public init(
        queryHeads: Int,
        keyValueHeads: Int,
        headDimension: Int,
        scale: Double? = nil,
        window: Int? = nil
    ) {
        precondition(
            keyValueHeads > 0 && queryHeads % keyValueHeads == 0 && headDimension > 0
                && (window ?? 1) > 0,
            "AttentionShape: \(queryHeads) query heads over \(keyValueHeads), of \(headDimension)"
        )
        self.queryHeads = queryHeads
        self.keyValueHeads = keyValueHeads
        self.headDimension = headDimension
        self.scale = scale ?? 1 / Double(headDimension).squareRoot()
        self.window = window
    }

    var group: Int { queryHeads / keyValueHeads }

    var c: ck_attention_shape {
        ck_attention_shape(
            query_heads: queryHeads,
            kv_heads: keyValueHeads,
            head_dim: headDimension,
            scale: scale,
            window: window ?? 0
        )
    }
}

/// Keys and values of the positions from `length` times its number on.
///
/// Keys lie by columns, as the scores of a few queries read them: each step of decoding meets all of
/// them again, and would otherwise transpose them again.
public struct KeyValuePage<S: KernelScalar>: Sendable {
    /// Positions in a page; the last page of a sequence may hold fewer.
    public static var length: Int { Int(CK_PAGE) }

    /// `[K, D, length]`.
    public var keys: Buffer<S>
    /// `[length, K * D]`.
    public var values: Buffer<S>

    /// Pairs keys with values.
    public init(keys: Buffer<S>, values: Buffer<S>) {
        precondition(
            keys.count == values.count && keys.count % Self.length == 0,
            "KeyValuePage: \(keys.count) key elements, \(values.count) value elements"
        )
        self.keys = keys
        self.values = values
    }

    /// Puts rows of `[K * D]` at the positions of the page from `position` on.
    @_specialize(where S == Float)
    public func store(keys newKeys: Buffer<S>, values newValues: Buffer<S>, at position: Int) {
        let width = values.count / Self.length
        let count = newKeys.count / width
        precondition(
            newValues.count == newKeys.count && count * width == newKeys.count
                && position >= 0 && position + count <= Self.length,
            "KeyValuePage: \(newKeys.count) elements at position \(position), rows of \(width)"
        )
        for column in 0..<width {
            let to = keys.base + column * Self.length + position
            for row in 0..<count { to[row] = newKeys.base[row * width + column] }
        }
        (values.base + position * width).update(from: newValues.base, count: count * width)
    }
}

/// The pages of one sequence, in the order of their positions: each in one piece of memory for all
/// layers of a model.
///
/// Where they begin is kept as the kernels read it, so that a pass makes no list of its own for each
/// layer.
public struct KeyValuePages<S: KernelScalar>: @unchecked Sendable {
    private let layerCount: Int
    /// Elements of a position: K * D.
    let width: Int
    private var pages: [Buffer<S>] = []
    private(set) var starts: [UnsafeRawPointer?] = []

    /// No pages yet.
    public init(layerCount: Int, width: Int) { (self.layerCount, self.width) = (layerCount, width) }

    /// Pages.
    public var count: Int { pages.count }

    /// Elements of a page: for each layer keys, then values.
    public var pageCount: Int { 2 * layerCount * width * KeyValuePage<S>.length }

    /// Adds a page of `pageCount` elements.
    public mutating func append(_ page: Buffer<S>) {
        precondition(page.count == pageCount, "KeyValuePages: a page of \(page.count) elements")
        pages.append(page)
        starts.append(UnsafeRawPointer(page.base))
    }

    /// Puts a page in another's place.
    public mutating func replace(_ number: Int, by page: Buffer<S>) {
        precondition(page.count == pageCount, "KeyValuePages: a page of \(page.count) elements")
        pages[number] = page
        starts[number] = UnsafeRawPointer(page.base)
    }

    /// Drops the last pages.
    public mutating func removeLast(_ count: Int) {
        pages.removeLast(count)
        starts.removeLast(count)
    }

    /// One layer's part of a page.
    public func page(_ number: Int, layer: Int) -> KeyValuePage<S> {
        let (keys, values) = offsets(layer: layer)
        let count = values - keys
        return KeyValuePage(
            keys: pages[number][keys..<keys + count],
            values: pages[number][values..<values + count]
        )
    }

    /// Where a layer's keys and values begin in every page.
    func offsets(layer: Int) -> (keys: Int, values: Int) {
        precondition((0..<layerCount).contains(layer), "KeyValuePages: layer \(layer)")
        let count = KeyValuePage<S>.length * width
        return (2 * layer * count, (2 * layer + 1) * count)
    }
}

/// Where the keys and values of a segment are, from position 0 on.
public enum KeysAndValues<S: KernelScalar>: Sendable {
    /// Rows of `[K * D]` behind each other.
    case rows(keys: Buffer<S>, values: Buffer<S>)
    /// One layer's part of pages.
    case pages(KeyValuePages<S>, layer: Int)

    /// Whether there are rows for `count` positions of `width` elements.
    func covers(_ count: Int, width: Int) -> Bool {
        switch self {
        case .rows(let keys, let values):
            return keys.count >= count * width && values.count >= count * width
        case .pages(let pages, _):
            return pages.count * KeyValuePage<S>.length >= count && pages.width == width
        }
    }

    var areKeysByColumn: Bool { if case .pages = self { true } else { false } }

    /// Where keys and values begin behind the pointers.
    var offsets: (keys: Int, values: Int) {
        if case .pages(let pages, let layer) = self { pages.offsets(layer: layer) } else { (0, 0) }
    }

    /// Appends a pointer for every page, for `count` positions of `width` elements.
    func appendPointers(
        _ count: Int,
        width: Int,
        _ keys: inout [UnsafeRawPointer?],
        _ values: inout [UnsafeRawPointer?]
    ) {
        switch self {
        case .rows(let keyRows, let valueRows):
            for position in stride(from: 0, to: count, by: KeyValuePage<S>.length) {
                keys.append(UnsafeRawPointer(keyRows.base + position * width))
                values.append(UnsafeRawPointer(valueRows.base + position * width))
            }
        case .pages(let pages, _):
            keys.append(contentsOf: pages.starts)
            values.append(contentsOf: pages.starts)
        }
    }
}

/// Consecutive query rows of one sequence, and the keys and values they look at.
public struct AttentionSegment<S: KernelScalar>: Sendable {
    /// First row in the flat query buffer.
    public var start: Int
    /// Query rows.
    public var count: Int
    /// Position of the first query row: the keys that came before it.
    public var past: Int
    /// Keys and values of positions 0..<past + count, or more.
    public var memory: KeysAndValues<S>

    /// Describes a segment.
    public init(start: Int, count: Int, past: Int, memory: KeysAndValues<S>) {
        self.start = start
        self.count = count
        self.past = past
        self.memory = memory
    }

    /// Describes a segment whose keys and values lie behind each other.
    public init(start: Int, count: Int, past: Int, keys: Buffer<S>, values: Buffer<S>) {
        self.init(
            start: start,
            count: count,
            past: past,
            memory: .rows(keys: keys, values: values)
        )
    }
}

/// One task of the forward pass: rows of all query heads that share a key-value head.
struct AttentionTask {
    var segment: Int
    var keyValueHead: Int
    var first: Int
    var count: Int
    /// Pairs of a position and a key that it sees, about.
    var cost: Int

    /// The tasks, long ones first, so that none is left over at the end.
    ///
    /// Some 128 query rows share the keys that a task lays out by columns; fewer pay for that more often
    /// (24 positions of seven heads cost as much as 64, of two heads 9 % more).
    static func tasks(lengths: [(past: Int, count: Int)], shape: AttentionShape) -> [AttentionTask]
    {
        let block = min(64, max(24, (128 / shape.group + 11) / 12 * 12))
        var tasks: [AttentionTask] = []
        for (index, (past, count)) in lengths.enumerated() {
            for first in stride(from: 0, to: count, by: block) {
                let rows = min(block, count - first)
                for head in 0..<shape.keyValueHeads {
                    tasks.append(
                        AttentionTask(
                            segment: index,
                            keyValueHead: head,
                            first: first,
                            count: rows,
                            cost: rows * (past + first + rows)
                        )
                    )
                }
            }
        }
        tasks.sort { $0.cost > $1.cost }
        return tasks
    }
}

/// Causal attention with grouped heads: row i of a segment looks at positions 0...past + i.
///
/// Softmax is taken online over tiles of keys that start at position 0, so a row's result has the
/// same bits alone, in a block, and with any number of threads. No T x T matrix is made.
/// Source: Milakov & Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135.
///
/// - Parameters:
///   - queries: Flat rows of `[H * D]`.
///   - segments: Which rows belong together, and their keys and values.
///   - shape: Heads and scale.
///   - output: As `queries`; rows outside all segments are left alone.
///   - logSumExp: `[rows, H]`, kept for the backward pass, or none.
@_specialize(where S == Float)
public func causalAttention<S: KernelScalar>(
    queries: Buffer<S>,
    segments: [AttentionSegment<S>],
    shape: AttentionShape,
    into output: Buffer<S>,
    logSumExp: Buffer<S>?
) {
    let row = shape.queryHeads * shape.headDimension
    precondition(
        queries.count == output.count
            && (logSumExp.map { $0.count * shape.headDimension == queries.count } ?? true),
        "causalAttention: \(queries.count) query elements, \(output.count) output elements"
    )
    for segment in segments {
        check("causalAttention", segment, shape: shape, queryCount: queries.count)
    }
    let tasks = AttentionTask.tasks(
        lengths: segments.map { ($0.past, $0.count) },
        shape: shape
    )
    // Pointers to all pages, one segment's behind the other's.
    let keyWidth = shape.keyValueHeads * shape.headDimension
    var firstPage: [Int] = []
    var (keys, values): ([UnsafeRawPointer?], [UnsafeRawPointer?]) = ([], [])
    for segment in segments {
        firstPage.append(keys.count)
        let count = segment.past + segment.count
        segment.memory.appendPointers(count, width: keyWidth, &keys, &values)
    }
    let heads = shape.c
    let total = tasks.reduce(0) { $0 + $1.cost } * shape.group * shape.headDimension
    keys.withUnsafeBufferPointer { keys in
        values.withUnsafeBufferPointer { values in
            guard let keys = keys.baseAddress, let values = values.baseAddress else { return }
            ThreadPool.forEach(tasks.count, grain: total < 1 << 16 ? tasks.count : 1) { range in
                for task in tasks[range] {
                    let s = segments[task.segment]
                    let offsets = s.memory.offsets
                    var operands = ck_attention_segment(
                        count: s.count,
                        past: s.past,
                        keys_by_column: s.memory.areKeysByColumn,
                        q: queries.base + s.start * row,
                        keys: keys + firstPage[task.segment],
                        values: values + firstPage[task.segment],
                        keys_from: offsets.keys,
                        values_from: offsets.values,
                        out: output.base + s.start * row,
                        log_sum_exp: logSumExp.map { $0.base + s.start * shape.queryHeads }
                    )
                    withUnsafePointer(to: heads) {
                        S.kernels.attention(
                            $0,
                            &operands,
                            task.keyValueHead,
                            task.first,
                            task.count
                        )
                    }
                }
            }
        }
    }
    withExtendedLifetime(segments) {}
}

func check<S>(
    _ operation: StaticString,
    _ segment: AttentionSegment<S>,
    shape: AttentionShape,
    queryCount: Int
) {
    let row = shape.queryHeads * shape.headDimension
    let width = shape.keyValueHeads * shape.headDimension
    precondition(
        segment.start >= 0 && segment.count >= 0 && segment.past >= 0
            && (segment.start + segment.count) * row <= queryCount
            && segment.memory.covers(segment.past + segment.count, width: width),
        "\(operation): rows \(segment.start)+\(segment.count) after \(segment.past), "
            + "\(queryCount / max(row, 1)) query rows, too few keys or values"
    )
}
