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
