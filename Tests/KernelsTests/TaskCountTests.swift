import Testing

@testable import Kernels

/// How evenly the tasks of an operation fill 8, 16 and 64 threads, from their number and size alone.
@Suite struct TaskCountTests {
    /// How many times as fast `threads` threads are done with phases of tasks of these costs.
    static func speedUp(_ phases: [[Int]], threads: Int) -> Double {
        let recording = LoopRecording(
            threads: threads,
            loops: phases.map { $0.map(Double.init) },
            seconds: Double(phases.joined().reduce(0, +))
        )
        return recording.seconds / recording.bound(forkJoin: 0)
    }

    struct Attention: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let heads: Int
        let lengths: [Int]
        /// The least for 8, 16 and 64 threads.
        let least: [Double]
    }

    static let attention = [
        Attention(
            testDescription: "Qwen2.5-0.5B, 512",
            heads: 14,
            lengths: [512],
            least: [7, 14, 14]
        ),
        Attention(
            testDescription: "Qwen2.5-1.5B, 512",
            heads: 12,
            lengths: [512],
            least: [6, 12, 12]
        ),
        Attention(
            testDescription: "Qwen3-0.6B, 512",
            heads: 16,
            lengths: [512],
            least: [8, 16, 16]
        ),
        Attention(
            testDescription: "Qwen2.5-0.5B, 2048",
            heads: 14,
            lengths: [2048],
            least: [7, 13, 31]
        ),
        Attention(
            testDescription: "Qwen2.5-0.5B, 8192",
            heads: 14,
            lengths: [8192],
            least: [7.7, 15, 49]
        ),
        Attention(
            testDescription: "Qwen3-0.6B, 16 sequences of 64 to 256",
            heads: 16,
            lengths: (1...16).map { 48 + 13 * $0 },
            least: [7.9, 15.5, 54]
        ),
        Attention(
            testDescription: "SmolLM2-135M, 8 of 300",
            heads: 9,
            lengths: Array(repeating: 300, count: 8),
            least: [8, 14, 36]
        ),
    ]

    static let forward: [(String, heads: Int, shared: Int, lengths: [Int], least: [Double])] = [
        ("Qwen2.5-0.5B, 512", 14, 2, [512], [7.9, 14.4, 22]),
        ("Qwen2.5-1.5B, 512", 12, 2, [512], [7.9, 14.4, 22]),
        ("Qwen3-0.6B, 512", 16, 8, [512], [7.9, 15.5, 36]),
        ("SmolLM2-135M, 512", 9, 3, [512], [7.7, 14.3, 18]),
        ("Qwen2.5-0.5B, 2048", 14, 2, [2048], [7.9, 15.9, 57]),
        ("Qwen3-0.6B, 2048", 16, 8, [2048], [7.9, 15.9, 63]),
    ]

    @Test(arguments: forward.indices)
    func attentionForward(_ index: Int) {
        let (name, heads, shared, lengths, least) = Self.forward[index]
        let tasks = AttentionTask.tasks(
            lengths: lengths.map { (0, $0) },
            shape: AttentionShape(queryHeads: heads, keyValueHeads: shared, headDimension: 64)
        )
        for (threads, least) in zip([8, 16, 64], least) {
            let speedUp = Self.speedUp([tasks.map(\.cost)], threads: threads)
            #expect(speedUp >= least, "\(name), \(threads) threads")
        }
    }

    /// Sequences that decode have a task for each key-value head.
    @Test func attentionOfDecoding() {
        let tasks = AttentionTask.tasks(
            lengths: Array(repeating: (170, 1), count: 16),
            shape: AttentionShape(queryHeads: 14, keyValueHeads: 2, headDimension: 64)
        )
        #expect(tasks.count == 32)
        #expect(tasks.allSatisfy { $0.first == 0 && $0.count == 1 && $0.cost == 171 })
    }

    /// Chunks of a loop, for the least that 8, 16 and 64 threads have to be busy with.
    static let loops: [(String, count: Int, grain: Int, least: [Double])] = [
        ("elements of [512, 896]", 512 * 896, Grain.elements, [8, 14, 56]),
        ("elements of [512, 1024]", 512 * 1024, Grain.elements, [8, 16, 64]),
        ("gated products of [512, 4864]", 512 * 4864, Grain.activations, [8, 15.9, 60]),
        ("rows of [512, 896]", 512, Grain.rows(of: 896), [7.1, 14, 50]),
        ("rows of [512, 1024]", 512, Grain.rows(of: 1024), [8, 16, 64]),
        ("rows of [2048, 1024]", 2048, Grain.rows(of: 1024), [8, 16, 64]),
        ("heads' rows, [512 * 16, 128]", 512 * 16, Grain.rows(of: 128), [8, 16, 64]),
        ("column sums of [512, 896]", 896, Grain.columns(rows: 512, columns: 896), [8, 14, 56]),
        ("column sums of [512, 1024]", 1024, Grain.columns(rows: 512, columns: 1024), [8, 16, 64]),
        ("losses of [276, 151936]", 276, Grain.rows(of: 151_936), [7.8, 15.3, 55]),
        ("weights of Qwen2.5-0.5B", 494_032_768, Grain.weights, [7.99, 15.99, 63.8]),
    ]

    @Test(arguments: loops.indices)
    func loopsOfRowsAndElements(_ index: Int) {
        let (name, count, grain, least) = Self.loops[index]
        let chunks = stride(from: 0, to: count, by: grain).map { min(grain, count - $0) }
        for (threads, least) in zip([8, 16, 64], least) {
            let speedUp = Self.speedUp([chunks], threads: threads)
            #expect(speedUp >= least, "\(name), \(threads) threads")
        }
    }

    /// Little work is not shared out.
    @Test func smallColumnSumsStayWhole() {
        #expect(Grain.columns(rows: 3, columns: 896) == 896)
        #expect(Grain.columns(rows: 0, columns: 0) == 1)
        #expect(Grain.rows(of: 0) == Grain.elements)
    }

    @Test(arguments: attention)
    func attentionBackward(_ shape: Attention) {
        let phases = AttentionCell.phases(lengths: shape.lengths, queryHeads: shape.heads)
        let costs = phases.map { $0.map(\.cost) }
        for (threads, least) in zip([8, 16, 64], shape.least) {
            let speedUp = Self.speedUp(costs, threads: threads)
            #expect(speedUp >= least, "\(threads) threads")
        }
    }

    /// Every pair of a row and an earlier key once; within a phase no row and no key of a head twice.
    @Test(arguments: [1, 63, 64, 65, 511, 512, 513, 1025, 1500, 5000])
    func attentionCellsCoverTheTriangle(_ length: Int) {
        let phases = AttentionCell.phases(lengths: [length, 70], queryHeads: 1)
        var pairs = 0
        for cells in phases {
            let own = cells.filter { $0.segment == 0 }
            #expect(Set(own.map(\.rows)).count == own.count)
            #expect(Set(own.map(\.keys)).count == own.count)
            for cell in own {
                pairs += cell.cost
                #expect(cell.keys == cell.rows || cell.keys.upperBound <= cell.rows.lowerBound)
                #expect(cell.keys.lowerBound % 64 == 0 && cell.rows.lowerBound % 64 == 0)
                #expect(cell.rows.count <= AttentionCell.length && !cell.rows.isEmpty)
            }
        }
        #expect(pairs == length * (length + 1) / 2)
        #expect(AttentionCell.phases(lengths: [], queryHeads: 3).isEmpty)
        #expect(AttentionCell.phases(lengths: [0], queryHeads: 3).joined().isEmpty)
    }
}
