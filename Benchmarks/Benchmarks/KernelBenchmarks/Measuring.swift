import Benchmark
import Kernels

/// What a kernel does in one call, for rates beside the time.
struct Work {
    /// Additions and multiplications of floats, or of integers where the kernel uses them.
    var operations: Double
    /// Bytes that have to come from memory or go there.
    var bytes: Double
}

extension BenchmarkMetric {
    /// Operations a second, in thousand millions.
    static let operationRate = BenchmarkMetric.custom(
        "Gop/s",
        polarity: .prefersLarger,
        useScalingFactor: false
    )
    /// Bytes a second, in millions.
    static let byteRate = BenchmarkMetric.custom(
        "MB/s",
        polarity: .prefersLarger,
        useScalingFactor: false
    )
}

/// Registers a benchmark that prepares once and reports both rates of `run`.
///
/// - Parameters:
///   - name: The model, the place in it, and the size: "qwen2.5-0.5b/gate_up, batch 8".
///   - work: What one call does.
///   - prepare: Allocates and fills; gives the call to measure.
func measure(_ name: String, _ work: Work, prepare: @escaping () -> () -> Void) {
    Benchmark(name) { benchmark in
        let run = prepare()
        run()
        for _ in benchmark.scaledIterations {
            let clock = ContinuousClock()
            benchmark.startMeasurement()
            let time = clock.measure(run)
            benchmark.stopMeasurement()
            let seconds = max(time / .seconds(1), 1e-9)
            benchmark.measurement(.operationRate, Int(work.operations / seconds / 1e9))
            benchmark.measurement(.byteRate, Int(work.bytes / seconds / 1e6))
        }
    }
}

/// Numbers between -1 and 1 that no kernel has a shortcut for.
func numbers(_ count: Int) -> Buffer<Float> {
    let buffer = Buffer<Float>(count: count)
    for index in 0..<count { buffer[index] = Float(index &* 7919 % 2003) / 1001 - 1 }
    return buffer
}

/// A matrix in stored blocks, made for measuring.
final class Blocks {
    private let memory: UnsafeMutableRawBufferPointer

    private init(count: Int) {
        memory = .allocate(byteCount: count, alignment: 64)
        for index in memory.indices { memory[index] = UInt8(truncatingIfNeeded: index % 61) }
    }

    deinit { memory.deallocate() }

    /// A matrix packed for products; what its numbers are makes no difference to the time.
    static func matrix(_ format: BlockFormat, rows: Int, columns: Int) -> StoredMatrix {
        let blocks = Blocks(count: rows * (columns / format.blockSize) * format.bytesPerBlock)
        return StoredMatrix(
            format: format,
            rows: rows,
            columns: columns,
            bytes: UnsafeRawBufferPointer(blocks.memory),
            owner: blocks
        ).packedForProducts()
    }
}
