import Basics
import Foundation
import Testing

@testable import Kernels

/// A kernel called on the same numbers in either element type.
enum KernelCase: String, CaseIterable, Sendable {
    case add, multiply, multiplyAccumulate, accumulate, scale, addRow, columnSums
    case relu, tanh, sigmoid, silu, exp, log
    case reluBackward, tanhBackward, sigmoidBackward, siluBackward, expBackward, logBackward
    case swiGLU, swiGLUBackward, rmsNorm, rmsNormBackward, softmax, softmaxBackward
    case rotate, rotateBack, crossEntropy, crossEntropyBackward, adamW, gather, scatter

    /// Bound of |float - double| / (1 + |double|): a few roundings, more for long sums.
    var bound: Double {
        switch self {
        case .columnSums, .rmsNormBackward, .softmaxBackward: 3e-6
        case .adamW: 1e-6
        default: 8e-7
        }
    }

    var activation: Activation? {
        switch self {
        case .relu, .reluBackward: .relu
        case .tanh, .tanhBackward: .tanh
        case .sigmoid, .sigmoidBackward: .sigmoid
        case .silu, .siluBackward: .silu
        case .exp, .expBackward: .exp
        case .log, .logBackward: .log
        default: nil
        }
    }

    func run<S: KernelScalar>(_ n: Int, as type: S.Type) -> [S] {
        let rows = 5
        let isLog = activation == .log
        let a: Buffer<S> = numbers(rows * n, 1, low: isLog ? 0.1 : -2)
        let b: Buffer<S> = numbers(rows * n, 2)
        let g: Buffer<S> = numbers(rows * n, 3)
        let y: Buffer<S> = numbers(rows * n, 4)
        let row: Buffer<S> = numbers(n, 5)
        let perRow: Buffer<S> = numbers(rows, 6, low: 0.5, width: 1)
        let targets = (0..<rows).map { $0 == 2 ? -1 : Int32($0 * 31 % n) }
        switch self {
        case .add: Kernels.add(a, b, into: y)
        case .multiply: Kernels.multiply(a, b, into: y)
        case .multiplyAccumulate: Kernels.multiplyAccumulate(a, b, into: y)
        case .accumulate: Kernels.accumulate(a, scale: 0.75, into: y)
        case .scale: Kernels.scale(a, by: 0.75, into: y)
        case .addRow: Kernels.addRow(row, rows: rows, into: y)
        case .columnSums:
            accumulateColumnSums(a, rows: rows, into: row)
            return row.array
        case .relu, .tanh, .sigmoid, .silu, .exp, .log:
            activation.map { activate($0, a, into: y) }
        case .reluBackward, .tanhBackward, .sigmoidBackward, .siluBackward, .expBackward,
            .logBackward:
            activation.map { activate($0, a, into: b) }
            activation.map {
                activateBackward($0, x: a, y: b, upstream: g, accumulatingInto: y)
            }
        case .swiGLU: Kernels.swiGLU(gate: a, up: b, into: y)
        case .swiGLUBackward:
            let other: Buffer<S> = numbers(rows * n, 7)
            Kernels.swiGLUBackward(
                gate: a,
                up: b,
                upstream: g,
                gateGradient: y,
                upGradient: other
            )
            return y.array + other.array
        case .rmsNorm:
            Kernels.rmsNorm(
                a,
                rows: rows,
                weight: row,
                epsilon: 1e-5,
                into: y,
                inverseRMS: perRow
            )
            return y.array + perRow.array
        case .rmsNormBackward:
            let dw: Buffer<S> = numbers(n, 8)
            Kernels.rmsNormBackward(
                a,
                rows: rows,
                weight: row,
                inverseRMS: perRow,
                upstream: g,
                inputGradient: y,
                weightGradient: dw
            )
            return y.array + dw.array
        case .softmax: Kernels.softmax(a, rows: rows, into: y)
        case .softmaxBackward:
            Kernels.softmaxBackward(y: a, rows: rows, upstream: g, accumulatingInto: y)
        case .rotate, .rotateBack:
            // Heads of 2 n numbers: a and b side by side.
            let x = Buffer(a.array + b.array)
            let z = Buffer<S>(count: x.count)
            Kernels.rotate(
                x,
                rows: 1,
                heads: rows,
                headDimension: 2 * n,
                cosines: g[0..<n],
                sines: g[n..<2 * n],
                inverse: self == .rotateBack,
                into: z
            )
            return z.array
        case .crossEntropy:
            let losses = Buffer<S>(count: rows)
            Kernels.crossEntropy(
                logits: a,
                rows: rows,
                targets: targets,
                losses: losses,
                logSumExp: perRow
            )
            return losses.array + perRow.array
        case .crossEntropyBackward:
            let lse: Buffer<S> = numbers(rows, 9, low: 2, width: 1)
            Kernels.crossEntropyBackward(
                logits: a,
                rows: rows,
                targets: targets,
                logSumExp: lse,
                weights: perRow
            )
            return a.array
        case .adamW:
            let v: Buffer<S> = numbers(rows * n, 10, low: 0.1)
            Kernels.adamW(
                AdamWStep(
                    learningRate: 0.01,
                    weightDecay: 0.1,
                    gradientScale: 0.5,
                    step: 3
                ),
                weights: a,
                gradients: g,
                moments: .native(first: y, second: v)
            )
            return a.array + y.array + v.array
        case .gather:
            let z = Buffer<S>(count: 3 * n)
            gatherRows(a, columns: n, ids: [4, 0, 4], into: z)
            return z.array
        case .scatter: scatterAddRows(b[0..<3 * n], columns: n, ids: [4, 0, 4], into: y)
        }
        return y.array
    }
}

extension FloatKernels {
    @Test(arguments: KernelCase.allCases, instructionSets)
    func matchesDouble(_ kernel: KernelCase, on set: String) throws {
        for n in Self.lengths {
            let fast = try on(set) { kernel.run(n, as: Float.self) }
            let error = worstError(fast, kernel.run(n, as: Double.self))
            #expect(error <= kernel.bound, "length \(n)")
        }
    }

    @Test(arguments: KernelCase.allCases, instructionSets)
    func hasTheSameBitsOnEveryInstructionSet(_ kernel: KernelCase, on set: String) throws {
        for n in Self.lengths + [1000] {
            let result = try on(set) { kernel.run(n, as: Float.self) }
            let portable = try on("portable") { kernel.run(n, as: Float.self) }
            #expect(bits(result) == bits(portable), "length \(n)")
        }
    }

    /// Emulated without the instruction, and rounded once all the same.
    @Test(arguments: instructionSets)
    func multiplyAddsAreRoundedOnce(on set: String) throws {
        // Exponents and signs all over, so that products end beside, far below and above the sum.
        func number(_ i: Int, _ factor: UInt32) -> Float {
            let bits = UInt32(truncatingIfNeeded: i) &* factor &+ 12_345
            let mixed = (bits ^ bits >> 15) &* 0x846c_a68b
            let exponent = 127 + Int32(mixed >> 24 & 63) - 32
            return Float(bitPattern: mixed & 0x807f_ffff | UInt32(exponent) << 23)
        }
        let count = 100_000
        let (a, b) = (
            (0..<count).map { number($0, 0x9e37_79b9) }, (0..<count).map { number($0, 0x85eb_ca6b) }
        )
        // A sum that the product nearly cancels, or just meets at a tie, half of the time.
        let c = (0..<count).map { i -> Float in
            i % 2 == 0 ? number(i, 0xc2b2_ae35) : -(a[i] * b[i]) * (i % 4 == 1 ? 1 : 0x1p-24)
        }
        let y = Buffer(c)
        try on(set) { multiplyAccumulate(Buffer(a), Buffer(b), into: y) }
        #expect(bits(y.array) == bits((0..<count).map { c[$0].addingProduct(a[$0], b[$0]) }))
        let small = Buffer<Float>([1e-45, -1e-40, 0, .infinity, 1e38, -0.0])
        try on(set) {
            multiplyAccumulate(
                Buffer([1e-20, 1e-20, 1e-23, 1, 1e38, 0]),
                Buffer([1e-20, 3e-20, 1e-23, -.infinity, 1e10, -1]),
                into: small
            )
        }
        let expected: [Float] = [
            Float(1e-45).addingProduct(1e-20, 1e-20), Float(-1e-40).addingProduct(1e-20, 3e-20),
            Float(0).addingProduct(1e-23, 1e-23), .nan, .infinity, -0.0,
        ]
        #expect(
            zip(small.array, expected).allSatisfy {
                $0.isNaN ? $1.isNaN : $0.bitPattern == $1.bitPattern
            }
        )
    }

    @Test(arguments: instructionSets)
    func exponentialIsWithinTwoUnitsOfTheLastPlace(on set: String) throws {
        let x = (0..<20_001).map { Float(-103 + 0.0095 * Double($0)) }
        let y = Buffer<Float>(count: x.count)
        try on(set) { activate(.exp, Buffer(x), into: y) }
        let wrong = zip(x, y.array).filter { x, y in
            let exact = Foundation.exp(Double(x))
            return !(abs(Double(y) - exact) <= 2 * Double(Float(exact).ulp))
        }
        #expect(wrong.isEmpty)
    }

    @Test(arguments: instructionSets)
    func logarithmIsWithinOneUnitOfTheLastPlace(on set: String) throws {
        // Every 100,003rd float above 0, subnormal ones too, and the neighbours of 1.
        let x =
            stride(from: 1, to: Float.infinity.bitPattern, by: 100_003).map(Float.init(bitPattern:))
            + (0x3F7F_FF00...0x3F80_0100).map(Float.init(bitPattern:))
        let y = Buffer<Float>(count: x.count)
        try on(set) { activate(.log, Buffer(x), into: y) }
        let wrong = zip(x, y.array).filter { x, y in
            let exact = Elementary.log(Double(x))
            return !(abs(Double(y) - exact) <= Double(Float(exact).ulp))
        }
        #expect(wrong.isEmpty)
    }

    /// Whatever the instruction set and the piece, the chance of a place is the same.
    @Test(arguments: instructionSets)
    func roundingByChanceIsTheSameEverywhere(on set: String) throws {
        let x: Buffer<Float> = numbers(1003, 1)
        let plain = BFloat16Buffer(zeros: x.count)
        plain.set(0..<x.count, x.array.map(Double.init), key: 7)
        let fast = BFloat16Buffer(zeros: x.count)
        try on(set) {
            for part in [0..<5, 5..<500, 500..<x.count] {
                fast[part].set(0..<part.count, Array(x.array[part]), key: 7)
            }
        }
        let rounded: [Float] = fast.widened().array
        #expect(rounded == plain.widened().array)
        let up = zip(rounded, x.array).filter { abs($0) > abs($1) }.count
        let down = zip(rounded, x.array).filter { abs($0) < abs($1) }.count
        #expect(up > 400 && down > 400)
    }

    @Test(arguments: instructionSets)
    func functionsHaveTheirLimits(on set: String) throws {
        let x = Buffer<Float>([-.infinity, -200, 0, 89.5, .infinity, .nan, -0.0, 1e-8])
        func apply(_ f: Activation) throws -> [Float] {
            let y = Buffer<Float>(count: x.count)
            try on(set) { activate(f, x, into: y) }
            return y.array
        }
        let e = try apply(.exp)
        #expect(e[0] == 0 && e[1] == 0 && e[2] == 1 && e[3] == .infinity && e[4] == .infinity)
        #expect(e[5].isNaN)
        let t = try apply(.tanh)
        #expect(t[0] == -1 && t[2] == 0 && t[4] == 1 && t[5].isNaN && t[7] == 1e-8)
        let s = try apply(.sigmoid)
        #expect(s[0] == 0 && s[2] == 0.5 && s[4] == 1 && s[5].isNaN)
        let l = try apply(.log)
        #expect(l[0].isNaN && l[1].isNaN && l[2] == -.infinity && l[4] == .infinity)
        #expect(l[5].isNaN && l[6] == -.infinity)
        let r = try apply(.silu)
        #expect(r[1] == 0 && r[4] == .infinity && r[5].isNaN)
    }

    @Test(arguments: instructionSets)
    func reductionsDoNotDependOnThreads(on set: String) throws {
        let x: Buffer<Float> = numbers(200_003, 1)
        let exact = x.array.reduce(0.0) { $0 + Double($1) * Double($1) }
        let exactSum = x.array.reduce(0.0) { $0 + Double($1) }
        let portable = try on("portable") { (sumOfSquares(x), sum(x)) }
        try on(set) {
            #expect((sumOfSquares(x), sum(x)) == portable)
            let one = with(threads: 1) { (sumOfSquares(x), sum(x)) }
            let two = with(threads: 2) { (sumOfSquares(x), sum(x)) }
            #expect(one == two)
            #expect(abs(one.0 - exact) <= 1e-12 * exact)
            #expect(abs(one.1 - exactSum) <= 1e-9)
            for bad in [Float.nan, .infinity, -.infinity] {
                let y = Buffer(x.array)
                y[200_002] = bad
                // What the optimizer tells a gradient by that is no number.
                #expect(!sumOfSquares(y).isFinite)
            }
        }
    }
}
