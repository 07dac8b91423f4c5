import Foundation
import Testing

@testable import Kernels

/// The formats that have a packed layout.
private let quantized = BlockFormat.allCases.filter { ![.f32, .f16, .bf16].contains($0) }

/// x as the products see it: one scale a row and 32 columns, max |x| / 127.
private func asInt8(_ x: [Float]) -> (values: [Double], scales: [Double]) {
    var values: [Double] = []
    var scales: [Double] = []
    for start in stride(from: 0, to: x.count, by: 32) {
        let block = x[start..<start + 32]
        let top = block.map(abs).max() ?? 0
        let scale = Double(top / 127)
        scales.append(scale)
        values += block.map {
            top == 0 ? 0 : Double(($0 * (127 / top)).rounded(.toNearestOrEven)) * scale
        }
    }
    return (values, scales)
}

private func product(
    _ x: [Float],
    rows: Int,
    _ weight: StoredMatrix,
    bias: Buffer<Float>? = nil
) -> [Float] {
    let y = Buffer<Float>(count: rows * weight.rows)
    linear(Buffer(x), rows: rows, weight: weight, bias: bias, into: y)
    return y.array
}

extension FloatKernels {
    /// Against the products of the same int8 numbers in double, and of the float inputs.
    @Test(arguments: quantized, instructionSets)
    func packedLinearMatchesDouble(_ format: BlockFormat, on set: String) throws {
        for (outputs, blocks, rows) in [
            (1, 1, 1), (16, 2, 3), (29, 3, 17), (53, 9, 9), (7, 11, 33),
        ] {
            let inputs = blocks * format.blockSize
            let w = try weight(format, rows: outputs, columns: inputs, BlockFixture.load())
            let x = (numbers(rows * inputs, 1) as Buffer<Float>).array
            let bias: Buffer<Float> = numbers(outputs, 3)
            let y = try on(set) { product(x, rows: rows, w.packedForProducts(), bias: bias) }
            let plain: Buffer<Double> = w.dequantized(rows: 0..<outputs)
            let (rounded, scales) = asInt8(x)
            var good = true
            for r in 0..<rows {
                for n in 0..<outputs {
                    var (exact, same, size, slack) = (0.0, 0.0, abs(Double(bias[n])), 0.0)
                    for k in 0..<inputs {
                        let (value, at) = (plain[n * inputs + k], r * inputs + k)
                        exact += Double(x[at]) * value
                        same += rounded[at] * value
                        // With minima the product is the difference of two larger terms.
                        size += 4 * abs(rounded[at] * value) + scales[at / 32] * abs(value)
                        slack += scales[at / 32] / 2 * abs(value)
                    }
                    let found = Double(y[r * outputs + n]) - Double(bias[n])
                    // Each of the additions, one a block, and a few products round once.
                    let rounding =
                        Double(inputs / 32 + 8) * 0x1p-24
                        * (size + minimaSize(w, x: x, row: r, output: n))
                    good = good && abs(found - same) <= rounding
                    good = good && abs(found - exact) <= slack * 1.0001 + rounding
                }
            }
            #expect(good, "[\(outputs), \(inputs)], \(rows) rows")
        }
    }

    /// Rounding of scale · q − minimum is set beside the larger of its terms, which the difference
    /// may hide: at most 31 scales, or 64 minima, of the greatest weight's size.
    private func minimaSize(_ w: StoredMatrix, x: [Float], row: Int, output: Int) -> Double {
        guard [.q4_1, .q5_1, .q4_K, .q5_K].contains(w.format) else { return 0 }
        let values: Buffer<Double> = w.dequantized(rows: output..<output + 1)
        let top = values.array.map(abs).max() ?? 0
        return x[row * w.columns..<(row + 1) * w.columns].reduce(0) {
            $0 + 2 * Double(abs($1)) * top
        }
    }

    /// The promise of one order of additions: the same bits for every instruction set, number of
    /// rows, place in the batch and number of threads.
    @Test(arguments: quantized)
    func packedLinearHasTheSameBitsEverywhere(_ format: BlockFormat) throws {
        let (outputs, inputs, most) = (491, 3 * format.blockSize, 131)
        let w = try weight(format, rows: outputs, columns: inputs, BlockFixture.load())
        let x = (numbers(most * inputs, 1) as Buffer<Float>).array
        let whole = try on("portable") { product(x, rows: most, w.packedForProducts()) }
        for set in Self.instructionSets {
            let packed = w.packedForProducts()
            for rows in [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 16, 36, 64, 65, 130] {
                for threads in [1, 2] {
                    let first = most - rows
                    let part = try on(set) {
                        with(threads: threads) {
                            product(Array(x[(first * inputs)...]), rows: rows, packed)
                        }
                    }
                    #expect(
                        bits(part) == bits(Array(whole[(first * outputs)...])),
                        "\(set), \(rows) rows, \(threads) threads"
                    )
                }
            }
        }
    }

    /// Products that share an input give what each gives alone, packed or not.
    @Test(arguments: instructionSets, [1, 2])
    func productsTogetherAreProductsAlone(on set: String, threads: Int) throws {
        let fixture = try BlockFixture.load()
        let weights = try [
            (BlockFormat.q5_0, 131), (.q8_0, 16), (.q5_0, 7), (.q4_K, 300), (.q6_K, 1),
        ].map { try weight($0, rows: $1, columns: 512, fixture).packedForProducts() }
        let plain = try weight(.f16, rows: 5, columns: 512, fixture)
        for (rows, weights) in [(1, weights), (17, weights), (3, weights + [plain])] {
            let x: Buffer<Float> = numbers(rows * 512, 1)
            try on(set) {
                with(threads: threads) {
                    let products = weights.map {
                        StoredProduct(
                            weight: $0,
                            bias: numbers($0.rows, 2),
                            output: Buffer<Float>(count: rows * $0.rows)
                        )
                    }
                    linear(x, rows: rows, products)
                    for part in products {
                        let alone = product(x.array, rows: rows, part.weight, bias: part.bias)
                        let isSame = bits(part.output.array) == bits(alone)
                        #expect(isSame, "\(part.weight.format), \(rows) rows")
                    }
                }
            }
        }
    }

    /// Look-ups and gradients read the stored blocks, which packing leaves as they are.
    @Test func packedMatricesAreLookedUpAndCarryGradients() throws {
        for format in quantized {
            let w = try weight(format, rows: 300, columns: 256, BlockFixture.load())
            let packed = w.packedForProducts()
            let g: Buffer<Float> = numbers(5 * 300, 1)
            let (a, b) = (Buffer<Float>(count: 2 * 256), Buffer<Float>(count: 2 * 256))
            w.gather(rows: [299, 7], into: a)
            packed.gather(rows: [299, 7], into: b)
            #expect(bits(a.array) == bits(b.array))
            let (da, db) = (Buffer<Float>.zeros(5 * 256), Buffer<Float>.zeros(5 * 256))
            linearInputGradient(g, rows: 5, weight: w, into: da)
            linearInputGradient(g, rows: 5, weight: packed, into: db)
            #expect(bits(da.array) == bits(db.array))
        }
    }

    /// A row that is not finite is not finite afterwards, and leaves the others alone.
    @Test(arguments: instructionSets)
    func packedLinearPassesOnWhatIsNotFinite(on set: String) throws {
        let w = try weight(.q4_K, rows: 20, columns: 256, BlockFixture.load()).packedForProducts()
        let x = (numbers(3 * 256, 1) as Buffer<Float>).array
        let clean = try on(set) { product(x, rows: 3, w) }
        for bad in [Float.nan, .infinity, -.infinity] {
            var broken = x
            broken[256 + 40] = bad
            let y = try on(set) { product(broken, rows: 3, w) }
            #expect(y[20..<40].allSatisfy { !$0.isFinite })
            #expect(bits(Array(y[..<20] + y[40...])) == bits(Array(clean[..<20] + clean[40...])))
        }
        // Zeros and numbers whose inverse overflows.
        let small = [Float](repeating: 0, count: 256) + [Float](repeating: 0x1p-133, count: 256)
        #expect(try on(set) { product(small, rows: 2, w) }.allSatisfy { abs($0) < 1e-30 })
    }

    @Test func plainNumbersAreNotPacked() throws {
        for format in [BlockFormat.f32, .f16, .bf16] {
            let w = try weight(format, rows: 3, columns: 32, BlockFixture.load())
            #expect(w.packedForProducts().packed == nil)
        }
    }
}
