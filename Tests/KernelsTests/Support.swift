import CKernels
import Testing

@testable import Kernels

/// All tests that choose a number of threads: one after the other, as the pool is the process's.
@Suite(.serialized) struct FloatKernels {
    /// The instruction sets that this CPU can run.
    static let instructionSets: [String] = ["portable", "avx2", "avx512"].filter { name in
        ck_kernels_named(name) != nil
    }

    /// Lengths around the widths of vectors and of unrolled loops.
    static let lengths = [1, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 100, 257]
}

/// Runs `body` on the kernels of one instruction set.
func on<R>(_ instructionSet: String, _ body: () throws -> R) throws -> R {
    try #require(try Float.withInstructionSet(instructionSet, body))
}

/// Runs `body` with a number of threads.
func with<R>(threads: Int, _ body: () throws -> R) rethrows -> R {
    let before = ThreadPool.threadCount
    ThreadPool.configure(threads: threads)
    defer { ThreadPool.configure(threads: before) }
    return try body()
}

/// Numbers in low..<low + width that both element types hold exactly.
func numbers<S: KernelScalar>(
    _ count: Int,
    _ seed: UInt64,
    low: Double = -2,
    width: Double = 4
) -> Buffer<S> {
    // Knuth's congruential generator: cheap in unoptimised builds, and good enough to be uneven.
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    var values = [S](repeating: 0, count: count)
    for i in 0..<count {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        values[i] = S(Float(low + width * Double(state >> 40) * 0x1p-24))
    }
    return Buffer(values)
}

/// The greatest |a - b| / (1 + |b|); infinite where a number is missing or NaN.
func worstError(_ a: [Float], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0.0) { worst, pair in
        let error = abs(Double(pair.0) - pair.1) / (1 + abs(pair.1))
        return error <= worst ? worst : error.isNaN ? .infinity : error
    }
}

/// The nearest bfloat16, ties to even.
func roundedToBFloat16(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits &+ 0x7fff &+ (bits >> 16 & 1)) & 0xffff_0000)
}

/// The bits of all numbers: equal means the same bytes, and NaN equals itself.
func bits(_ x: [Float]) -> [UInt32] { x.map(\.bitPattern) }
