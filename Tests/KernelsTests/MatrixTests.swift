import Testing

@testable import Kernels

/// Operands of a product, and what its definition says of them.
private struct ProductCase<S: KernelScalar> {
    let (m, n, k): (Int, Int, Int)
    let (transposeA, transposeB, isAdding): (Bool, Bool, Bool)
    let a, b: Buffer<S>
    var c: Buffer<S> { numbers(m * n, 3) }

    /// `flags` has one bit each: A transposed, B transposed, adding.
    init(_ shape: (Int, Int, Int), flags: Int) {
        (m, n, k) = shape
        (transposeA, transposeB, isAdding) = (flags & 1 != 0, flags & 2 != 0, flags & 4 != 0)
        a = numbers(m * k, 1)
        b = numbers(k * n, 2)
    }

    func run(_ arithmetic: ProductArithmetic = .float32) -> [S] {
        let c = c
        gemm(
            a,
            transposeA: transposeA,
            b,
            transposeB: transposeB,
            into: c,
            m: m,
            n: n,
            k: k,
            isAdding: isAdding,
            arithmetic
        )
        return c.array
    }

    /// Every output by `step`, taken over its terms in their order.
    func plain(_ step: (S, S, S) -> S) -> [S] {
        var result = isAdding ? c.array : [S](repeating: 0, count: m * n)
        let (a, b) = (a.array, b.array)
        for i in 0..<m {
            for j in 0..<n {
                var sum = result[i * n + j]
                for p in 0..<k {
                    sum = step(
                        a[transposeA ? p * m + i : i * k + p],
                        b[transposeB ? j * k + p : p * n + j],
                        sum
                    )
                }
                result[i * n + j] = sum
            }
        }
        return result
    }
}

extension FloatKernels {
    static let products = [
        (1, 1, 1), (1, 17, 3), (7, 1, 65), (31, 33, 16), (63, 65, 40), (14, 32, 257),
        (257, 17, 129),
        (17, 257, 129), (30, 50, 600),
    ]

    /// The promise: one chain of fused multiply-adds in the order of the terms, on every instruction
    /// set, with any number of threads.
    @Test(arguments: products, instructionSets)
    func productsAreChainsInTheOrderOfTheirTerms(_ shape: (Int, Int, Int), on set: String) throws {
        for flags in 0..<8 {
            let product = ProductCase<Float>(shape, flags: flags)
            let expected = bits(product.plain { $2.addingProduct($0, $1) })
            for threads in [1, 2, 5] {
                let result = try on(set) { with(threads: threads) { product.run() } }
                #expect(bits(result) == expected, "\(flags), \(threads) threads")
            }
        }
    }

    @Test(arguments: products)
    func productsOfOpenBLASMatchPlainLoops(_ shape: (Int, Int, Int)) {
        for flags in 0..<8 {
            let exact = ProductCase<Double>(shape, flags: flags)
            let expected = exact.plain { $2 + $0 * $1 }
            let bound = Double(shape.2 + 2)
            let single = ProductCase<Float>(shape, flags: flags).run(.openBLAS).map(Double.init)
            #expect(zip(single, expected).allSatisfy { abs($0 - $1) <= 5e-7 * bound })
            for arithmetic in ProductArithmetic.allCases {
                let double = exact.run(arithmetic)
                #expect(zip(double, expected).allSatisfy { abs($0 - $1) <= 1e-15 * bound })
            }
        }
    }

    @Test(arguments: products, instructionSets)
    func productsInBFloat16RoundTheirOperandsAlone(_ shape: (Int, Int, Int), on set: String) throws
    {
        for flags in 0..<8 {
            let product = ProductCase<Float>(shape, flags: flags)
            let result = try on(set) { product.run(.bfloat16) }
            let reference = try on("portable") { with(threads: 1) { product.run(.bfloat16) } }
            #expect(bits(result) == bits(reference))
            let exact = product.plain { $2 + roundedToBFloat16($0) * roundedToBFloat16($1) }
            #expect(zip(result, exact).allSatisfy { abs($0 - $1) <= 1e-6 * Float(shape.2 + 2) })
        }
    }

    /// Subnormal operands and sums, ties, and what is no number.
    @Test(arguments: instructionSets)
    func productsInBFloat16AreTheSameAtTheEdges(on set: String) throws {
        let edges: [Float] = [
            0, -0.0, 1, -1.00390625, 1.01171875, 0x1p-130, -0x1.8p-129, 1.2e-38, 2e-20, -1e-19,
            3e38,
            0.5,
        ]
        func operand(_ count: Int, _ step: Int, _ small: Int) -> Buffer<Float> {
            Buffer((0..<count).map { i in edges[i * step % 12] * (i % small == 0 ? 1e-19 : 1) })
        }
        let (a, b) = (operand(30 * 40, 7, 3), operand(40 * 20, 5, 2))
        a[5 * 40] = .infinity
        func product(_ set: String) throws -> [Float] {
            let c = Buffer<Float>(count: 30 * 20)
            try on(set) { gemm(a, b, into: c, m: 30, n: 20, k: 40, .bfloat16) }
            return c.array
        }
        let (result, reference) = (try product(set), try product("portable"))
        #expect(
            zip(result, reference).allSatisfy {
                $0.isNaN ? $1.isNaN : $0.bitPattern == $1.bitPattern
            }
        )
        #expect(result.contains(where: \.isNaN) && result.contains(where: \.isFinite))
    }

    @Test func independentProductsMayShareALoop() {
        let cases = [(300, 130, 70), (130, 900, 65), (64, 64, 700)].map {
            ProductCase<Float>($0, flags: 2)
        }
        let outputs = cases.map { Buffer<Float>(count: $0.m * $0.n) }
        func products(into outputs: [Buffer<Float>]) -> [MatrixProduct<Float>] {
            zip(cases, outputs).map { (each, c) in
                MatrixProduct(
                    each.a,
                    each.b,
                    transposeB: true,
                    into: c,
                    m: each.m,
                    n: each.n,
                    k: each.k
                )
            }
        }
        with(threads: 2) { gemm(products(into: outputs)) }
        for (each, output) in zip(cases, outputs) {
            #expect(bits(output.array) == bits(each.run()))
        }
        // Products that add to the same numbers take turns.
        let sum = Buffer<Float>.zeros(64 * 64)
        let one = MatrixProduct(
            cases[2].a,
            cases[2].b,
            transposeB: true,
            into: sum,
            m: 64,
            n: 64,
            k: 700,
            isAdding: true
        )
        with(threads: 2) { gemm([one, one]) }
        let twice = Buffer<Float>.zeros(64 * 64)
        for _ in 0..<2 {
            gemm(
                cases[2].a,
                cases[2].b,
                transposeB: true,
                into: twice,
                m: 64,
                n: 64,
                k: 700,
                isAdding: true
            )
        }
        #expect(bits(sum.array) == bits(twice.array))
    }

    @Test func productsWithoutTermsAreZeros() {
        let c = Buffer<Float>([1, 2, 3, 4])
        gemm(Buffer(count: 0), Buffer(count: 0), into: c, m: 2, n: 2, k: 0, isAdding: true)
        #expect(c.array == [1, 2, 3, 4])
        gemm(Buffer(count: 0), Buffer(count: 0), into: c, m: 2, n: 2, k: 0)
        #expect(c.array == [0, 0, 0, 0])
    }

    /// Enough tasks for many threads, of equal size, and none so small that copying rules it.
    @Test(arguments: [2, 8, 16, 64])
    func blocksOccupyTheThreads(_ threads: Int) {
        for (m, n, k) in [
            (512, 1024, 3072), (512, 896, 4864), (3072, 1024, 512), (256, 1024, 151_936),
            (2048, 1024, 1024),
        ] {
            let blocks = ProductBlocks(m: m, n: n, k: k, threads: threads)
            let all = (0..<blocks.count).map { blocks[$0] }
            #expect(all.reduce(0) { $0 + $1.rows.count * $1.columns.count } == m * n)
            #expect(all.allSatisfy { $0.columns.count <= ProductBlocks.mostColumns })
            let largest = Double(blocks.rows * blocks.columns)
            let turns = ((blocks.count + threads - 1) / threads)
            let speedup = Double(m * n) / (largest * Double(turns))
            #expect(speedup >= 0.8 * Double(threads), "\(m) \(n) \(k): \(speedup)")
        }
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
                #expect(bits(fast) == bits(try on("portable") { run(Float.self) }))
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
