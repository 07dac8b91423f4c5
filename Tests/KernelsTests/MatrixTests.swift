import Testing

@testable import Kernels

private func plainProduct(
    _ a: [Double],
    _ transposeA: Bool,
    _ b: [Double],
    _ transposeB: Bool,
    _ c: [Double],
    _ m: Int,
    _ n: Int,
    _ k: Int,
    _ alpha: Double,
    _ beta: Double
) -> [Double] {
    // Operands are laid out so that each dot product runs along both: quick without optimisation.
    var result = c
    for i in 0..<m {
        let row = (0..<k).map { a[transposeA ? $0 * m + i : i * k + $0] }
        for j in 0..<n {
            var (dot, at) = (0.0, transposeB ? j * k : j)
            for p in 0..<k {
                dot += row[p] * b[at]
                at += transposeB ? 1 : n
            }
            result[i * n + j] = alpha * dot + beta * c[i * n + j]
        }
    }
    return result
}

extension FloatKernels {
    static let products = [
        (1, 1, 1), (1, 17, 3), (7, 1, 65), (31, 33, 16), (63, 65, 40), (257, 17, 129),
        (17, 257, 129),
    ]

    @Test(arguments: products, [(1.0, 0.0), (1.0, 1.0), (0.5, -2.0)])
    func gemmMatchesPlainLoops(_ shape: (Int, Int, Int), _ factors: (Double, Double)) {
        let (m, n, k) = shape
        for flags in 0..<4 {
            let (ta, tb) = (flags & 1 != 0, flags & 2 != 0)
            func check<S: KernelScalar>(_ type: S.Type, bound: Double) {
                let a: Buffer<S> = numbers(m * k, 1)
                let b: Buffer<S> = numbers(k * n, 2)
                let c: Buffer<S> = numbers(m * n, 3)
                let expected = plainProduct(
                    a.array.map(Double.init),
                    ta,
                    b.array.map(Double.init),
                    tb,
                    c.array.map(Double.init),
                    m,
                    n,
                    k,
                    factors.0,
                    factors.1
                )
                gemm(
                    a,
                    transposeA: ta,
                    b,
                    transposeB: tb,
                    into: c,
                    m: m,
                    n: n,
                    k: k,
                    alpha: S(factors.0),
                    beta: S(factors.1)
                )
                let worst = zip(c.array, expected).map { abs(Double($0) - $1) }.max() ?? .infinity
                #expect(worst <= bound * Double(k + 2) && c.array.allSatisfy(\.isFinite))
            }
            check(Float.self, bound: 5e-7)
            check(Double.self, bound: 1e-15)
        }
    }

    @Test func gemmDoesNotDependOnThreads() {
        for (m, n, k) in [(300, 130, 70), (130, 900, 65), (64, 64, 700)] {
            let a: Buffer<Float> = numbers(m * k, 1)
            let b: Buffer<Float> = numbers(k * n, 2)
            func product(_ threads: Int) -> [Float] {
                let c = Buffer<Float>(count: m * n)
                with(threads: threads) { gemm(a, b, into: c, m: m, n: n, k: k) }
                return c.array
            }
            #expect(bits(product(1)) == bits(product(2)))
            #expect(bits(product(1)) == bits(product(3)))
        }
    }

    @Test func emptyProductsScaleTheOutput() {
        let c = Buffer<Float>([1, 2, 3, 4])
        gemm(Buffer(count: 0), Buffer(count: 0), into: c, m: 2, n: 2, k: 0, beta: 2)
        #expect(c.array == [2, 4, 6, 8])
        gemm(Buffer(count: 0), Buffer(count: 0), into: c, m: 2, n: 2, k: 0)
        #expect(c.array == [0, 0, 0, 0])
    }

    @Test(arguments: instructionSets)
    func linearMatchesDouble(on set: String) throws {
        for inputs in Self.lengths + [515] {
            for (rows, outputs) in [(1, 1), (2, 13), (3, 12), (5, 25), (37, 11)] {
                func run<S: KernelScalar>(_ type: S.Type) -> [S] {
                    let y = Buffer<S>(count: rows * outputs)
                    linear(
                        numbers(rows * inputs, 1),
                        rows: rows,
                        weight: numbers(outputs * inputs, 2),
                        outputs: outputs,
                        inputs: inputs,
                        bias: rows == 3 ? nil : numbers(outputs, 3),
                        into: y
                    )
                    return y.array
                }
                let fast = try on(set) { run(Float.self) }
                #expect(worstError(fast, run(Double.self)) <= 1e-5, "\(rows) \(outputs) \(inputs)")
            }
        }
    }

    @Test(arguments: instructionSets)
    func linearRowsDoNotDependOnTheirBatch(on set: String) throws {
        let (outputs, inputs, most) = (145, 515, 67)
        let x: Buffer<Float> = numbers(most * inputs, 1)
        let w: Buffer<Float> = numbers(outputs * inputs, 2)
        let bias: Buffer<Float> = numbers(outputs, 3)
        try on(set) {
            let whole = Buffer<Float>(count: most * outputs)
            linear(
                x,
                rows: most,
                weight: w,
                outputs: outputs,
                inputs: inputs,
                bias: bias,
                into: whole
            )
            for rows in [1, 2, 3, 4, 5, 8, 16, 33] {
                for threads in [1, 2] {
                    for first in [0, 9, most - rows] {
                        let y = Buffer<Float>(count: rows * outputs)
                        with(threads: threads) {
                            linear(
                                x[first * inputs..<(first + rows) * inputs],
                                rows: rows,
                                weight: w,
                                outputs: outputs,
                                inputs: inputs,
                                bias: bias,
                                into: y
                            )
                        }
                        let expected = whole[first * outputs..<(first + rows) * outputs]
                        #expect(bits(y.array) == bits(expected.array), "\(rows) at \(first)")
                    }
                }
            }
        }
    }
}
