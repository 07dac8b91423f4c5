import Foundation
import Testing

@testable import Kernels

/// Blocks with the values that ggml's own dequantiser gives (Tools/block_fixtures.py).
struct BlockFixture: Decodable {
    let bytes: Data
    let values: Data

    static func load() throws -> [String: BlockFixture] {
        let url = try #require(
            Bundle.module.url(
                forResource: "blocks",
                withExtension: "json",
                subdirectory: "Fixtures"
            )
        )
        return try JSONDecoder().decode([String: BlockFixture].self, from: Data(contentsOf: url))
    }

    var floats: [Float] {
        stride(from: 0, to: values.count, by: 4).map { at in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(values[at + $1]) << (8 * $1) })
        }
    }
}

/// Keeps the bytes of a stored matrix.
private final class Bytes {
    let buffer: UnsafeMutableRawBufferPointer

    init(_ data: Data) {
        buffer = .allocate(byteCount: data.count, alignment: 1)
        buffer.copyBytes(from: data)
    }

    deinit { buffer.deallocate() }
}

func stored(_ format: BlockFormat, _ data: Data, rows: Int) -> StoredMatrix {
    let bytes = Bytes(data)
    let columns = data.count / format.bytesPerBlock * format.blockSize / rows
    return StoredMatrix(
        format: format,
        rows: rows,
        columns: columns,
        bytes: UnsafeRawBufferPointer(bytes.buffer),
        owner: bytes
    )
}

/// A matrix of a format: the fixture's blocks, again and again in another order.
func weight(
    _ format: BlockFormat,
    rows: Int,
    columns: Int,
    _ fixtures: [String: BlockFixture]
) throws -> StoredMatrix {
    let source =
        if format == .f32 {
            (numbers(40, 5) as Buffer<Float>).array.reduce(into: Data()) { data, value in
                withUnsafeBytes(of: value) { data.append(contentsOf: $0) }
            }
        } else {
            try #require(fixtures[format.name]).bytes
        }
    let (length, count) = (format.bytesPerBlock, source.count / format.bytesPerBlock)
    var data = Data()
    for i in 0..<rows * columns / format.blockSize {
        let at = (i * 7 + i / 11) % count * length
        data.append(source[source.startIndex + at..<source.startIndex + at + length])
    }
    return stored(format, data, rows: rows)
}

extension FloatKernels {
    @Test(arguments: instructionSets)
    func blocksHaveTheValuesOfGGML(on set: String) throws {
        let fixtures = try BlockFixture.load()
        #expect(Set(fixtures.keys) == Set(BlockFormat.allCases.map(\.name)).subtracting(["f32"]))
        for (name, fixture) in fixtures {
            let format = try #require(BlockFormat(rawValue: name))
            let matrix = stored(format, fixture.bytes, rows: 1)
            try on(set) {
                let fast: Buffer<Float> = matrix.dequantized(rows: 0..<1)
                let plain: Buffer<Double> = matrix.dequantized(rows: 0..<1)
                #expect(bits(fast.array) == bits(fixture.floats), "\(name)")
                #expect(plain.array == fixture.floats.map(Double.init), "\(name)")
            }
        }
    }

    @Test(arguments: instructionSets)
    func everyHalfIsWidened(on set: String) throws {
        let all = (0...UInt16.max).reduce(into: Data()) { data, half in
            data.append(UInt8(truncatingIfNeeded: half))
            data.append(UInt8(half >> 8))
        }
        for format in [BlockFormat.f16, .bf16] {
            let matrix = stored(format, all, rows: 256)
            let fast: Buffer<Float> = try on(set) { matrix.dequantized(rows: 0..<256) }
            let plain: Buffer<Double> = matrix.dequantized(rows: 0..<256)
            let wrong = zip(fast.array, plain.array).enumerated().filter { i, pair in
                let half = UInt16(i)
                let sign: Double = half >> 15 == 0 ? 1 : -1
                let bits = format == .f16 ? 10 : 7
                let exponent = Int(half & 0x7fff) >> bits
                let fraction = Double(Int(half) & (1 << bits - 1)) / Double(1 << bits)
                let bias = format == .f16 ? 15 : 127
                let most = format == .f16 ? 31 : 255
                let expected: Double =
                    exponent == most
                    ? (fraction == 0 ? sign * .infinity : .nan)
                    : exponent == 0
                        ? sign * fraction * Foundation.pow(2, Double(1 - bias))
                        : sign * (1 + fraction) * Foundation.pow(2, Double(exponent - bias))
                let (a, b) = (Double(pair.0), pair.1)
                return expected.isNaN ? !a.isNaN || !b.isNaN : a != expected || b != expected
            }
            #expect(wrong.isEmpty, "\(format)")
        }
    }

    @Test(arguments: BlockFormat.allCases, instructionSets)
    func storedLinearMatchesDoubleAndItsBatch(_ format: BlockFormat, on set: String) throws {
        let (outputs, inputs, most) = (29, 768, 37)
        let w = try weight(format, rows: outputs, columns: inputs, BlockFixture.load())
        func run<S: KernelScalar>(_ first: Int, _ rows: Int, as type: S.Type) -> [S] {
            let x: Buffer<S> = numbers(most * inputs, 1)
            let y = Buffer<S>(count: rows * outputs)
            linear(
                x[first * inputs..<(first + rows) * inputs],
                rows: rows,
                weight: w,
                bias: numbers(outputs, 3),
                into: y
            )
            return y.array
        }
        let plain = run(0, most, as: Double.self)
        try on(set) {
            let whole = run(0, most, as: Float.self)
            // f16's and K formats' values reach thousands: the error is set beside the greatest.
            let scale = plain.map(abs).max() ?? 0
            for (a, b) in zip(whole, plain) { #expect(abs(Double(a) - b) <= 3e-6 * (1 + scale)) }
            for rows in [1, 2, 3, 5, 8, 16] {
                for threads in [1, 2] {
                    let first = most - rows - 1
                    let part = with(threads: threads) { run(first, rows, as: Float.self) }
                    let expected = whole[first * outputs..<(first + rows) * outputs]
                    #expect(bits(part) == bits(Array(expected)), "\(rows) rows")
                }
            }
        }
    }

    @Test(arguments: instructionSets)
    func storedRowsAreLookedUpAndCarryGradients(on set: String) throws {
        // More rows than a panel has.
        let count = 33_000
        let w = try weight(.q4_K, rows: count, columns: 256, BlockFixture.load())
        let dense: Buffer<Float> = w.dequantized(rows: 0..<count)
        let ids: [Int32] = [299, 0, 7, 7]
        let (looked, expected) = (Buffer<Float>(count: 4 * 256), Buffer<Float>(count: 4 * 256))
        try on(set) {
            w.gather(rows: ids, into: looked)
            gatherRows(dense, columns: 256, ids: ids, into: expected)
            #expect(looked.array == expected.array)

            let g: Buffer<Float> = numbers(5 * count, 1)
            let (dx, plain) = (
                numbers(5 * 256, 2) as Buffer<Float>, numbers(5 * 256, 2) as Buffer<Float>
            )
            linearInputGradient(g, rows: 5, weight: w, into: dx)
            gemm(g, dense, into: plain, m: 5, n: 256, k: count, isAdding: true)
            let scale = plain.array.map(abs).max() ?? 0
            for (a, b) in zip(dx.array, plain.array) { #expect(abs(a - b) <= 1e-5 * scale) }
            linearInputGradient(g, rows: 5, weight: w, into: dx, isAdding: false)
            gemm(g, dense, into: plain, m: 5, n: 256, k: count)
            for (a, b) in zip(dx.array, plain.array) { #expect(abs(a - b) <= 1e-5 * scale) }

            let (x, bias): (Buffer<Float>, Buffer<Float>) = (numbers(5 * 256, 3), numbers(count, 4))
            let (y, exact) = (Buffer<Float>(count: 5 * count), Buffer<Float>(count: 5 * count))
            linearByPanels(x, rows: 5, weight: w, bias: bias, into: y)
            gemm(x, dense, transposeB: true, into: exact, m: 5, n: count, k: 256)
            addRow(bias, rows: 5, into: exact)
            let most = exact.array.map(abs).max() ?? 0
            for (a, b) in zip(y.array, exact.array) { #expect(abs(a - b) <= 1e-5 * most) }
        }
    }
}

@Test func roundingToEightBitsIsWithinHalfAScale() {
    let (rows, columns) = (5, 96)
    var values = (0..<rows * columns).map { 3 * sin(Float($0 * $0)) }
    // A block of zeros, one below float16's range, one with a lone outlier.
    for i in 0..<32 { values[i] = 0 }
    for i in 32..<64 { values[i] = 1e-12 }
    for i in 64..<96 { values[i] = i == 70 ? -1000 : 0.5 }
    let matrix = StoredMatrix(rounding: Buffer(values), rows: rows, columns: columns)
    #expect(matrix.format == .q8_0)
    let widened: [Float] = matrix.dequantized(rows: 0..<rows).array
    for block in stride(from: 0, to: values.count, by: 32) {
        let largest = values[block..<block + 32].map(abs).max() ?? 0
        for i in block..<block + 32 {
            // Half a step, and what float16 takes off the scale at the far end.
            #expect(abs(widened[i] - values[i]) <= largest * (0.5 / 127 + 1 / 2048) + 1e-9)
        }
    }
    // What is already rounded stays as it is.
    let again = StoredMatrix(rounding: Buffer(widened), rows: rows, columns: columns)
    let second: [Float] = again.dequantized(rows: 0..<rows).array
    for (a, b) in zip(widened, second) { #expect(abs(a - b) <= abs(a) / 512 + 1e-9) }
}
