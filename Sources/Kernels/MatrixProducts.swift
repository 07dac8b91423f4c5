import CKernels

/// What float32 matrix products are computed with; products of `Double` are always OpenBLAS's.
public enum ProductArithmetic: String, Sendable, CaseIterable {
    /// Kernels of ours: every output is one chain of fused multiply-adds in the order of its terms, the
    /// same bits on every CPU.
    case float32
    /// The same with operands rounded to bfloat16 and sums in float32.
    case bfloat16
    /// OpenBLAS, whose last bits depend on its version, on its kernels and so on the CPU.
    case openBLAS
}

/// One matrix product: C = op(A) op(B), or C += op(A) op(B), where op transposes if its flag is set.
///
/// Operands are row-major with row strides; op(A) is `[m, k]`, op(B) `[k, n]`.
public struct MatrixProduct<Scalar: KernelScalar>: @unchecked Sendable {
    var a: UnsafePointer<Scalar>
    var transposeA: Bool
    var aStride: Int
    var b: UnsafePointer<Scalar>
    var transposeB: Bool
    var bStride: Int
    var c: UnsafeMutablePointer<Scalar>
    var cStride: Int
    var m: Int
    var n: Int
    var k: Int
    var isAdding: Bool
    /// What keeps the operands' memory.
    let operands: [Buffer<Scalar>]
}

extension MatrixProduct {
    /// A product of dense operands.
    ///
    /// - Parameters:
    ///   - a: `[m, k]`, or `[k, m]` when `transposeA`.
    ///   - transposeA: Whether `a` is stored transposed.
    ///   - b: `[k, n]`, or `[n, k]` when `transposeB`.
    ///   - transposeB: Whether `b` is stored transposed.
    ///   - c: `[m, n]`; not read unless `isAdding`.
    ///   - m: Rows of the output.
    ///   - n: Columns of the output.
    ///   - k: Terms of each sum.
    ///   - isAdding: Whether the product is added to what `c` holds.
    public init(
        _ a: Buffer<Scalar>,
        transposeA: Bool = false,
        _ b: Buffer<Scalar>,
        transposeB: Bool = false,
        into c: Buffer<Scalar>,
        m: Int,
        n: Int,
        k: Int,
        isAdding: Bool = false
    ) {
        precondition(
            a.count == m * k && b.count == k * n && c.count == m * n,
            "gemm: [\(m), \(k)] x [\(k), \(n)] with \(a.count), \(b.count), \(c.count) elements"
        )
        self.init(
            a: a.base,
            transposeA: transposeA,
            aStride: transposeA ? m : k,
            b: b.base,
            transposeB: transposeB,
            bStride: transposeB ? k : n,
            c: c.base,
            cStride: n,
            m: m,
            n: n,
            k: k,
            isAdding: isAdding,
            operands: [a, b, c]
        )
    }

    var operations: Double { 2 * Double(m) * Double(n) * Double(k) }

    /// Part of the outputs.
    func part(_ rows: Range<Int>, _ columns: Range<Int>) -> MatrixProduct {
        var part = self
        part.a += transposeA ? rows.lowerBound : rows.lowerBound * aStride
        part.b += transposeB ? columns.lowerBound * bStride : columns.lowerBound
        part.c += rows.lowerBound * cStride + columns.lowerBound
        (part.m, part.n) = (rows.count, columns.count)
        return part
    }

    func setZeros() {
        for row in 0..<m { (c + row * cStride).update(repeating: 0, count: n) }
    }
}

/// C = op(A) op(B), or C += op(A) op(B); see `MatrixProduct`.
///
/// The bytes do not depend on the number of threads.
public func gemm<S: KernelScalar>(
    _ a: Buffer<S>,
    transposeA: Bool = false,
    _ b: Buffer<S>,
    transposeB: Bool = false,
    into c: Buffer<S>,
    m: Int,
    n: Int,
    k: Int,
    isAdding: Bool = false,
    _ arithmetic: ProductArithmetic = .float32
) {
    gemm(
        [
            MatrixProduct(
                a,
                transposeA: transposeA,
                b,
                transposeB: transposeB,
                into: c,
                m: m,
                n: n,
                k: k,
                isAdding: isAdding
            )
        ],
        arithmetic
    )
}

/// Products that do not depend on each other, as one loop of the threads.
public func gemm<S: KernelScalar>(
    _ products: [MatrixProduct<S>],
    _ arithmetic: ProductArithmetic = .float32
) {
    guard ProductMeter.isOn else { return run(products, arithmetic) }
    let start = ContinuousClock.now
    run(products, arithmetic)
    ProductMeter.time += ContinuousClock.now - start
    ProductMeter.operations += products.reduce(0) { $0 + $1.operations }
}

private func run<S: KernelScalar>(
    _ products: [MatrixProduct<S>],
    _ arithmetic: ProductArithmetic
) {
    let kernels = S.kernels
    let ordered = arithmetic == .bfloat16 ? kernels.product_bfloat16 : kernels.product
    let isOrdered = arithmetic != .openBLAS && ordered != nil
    // OpenBLAS's bits depend on the cut, which therefore must not depend on the number of threads.
    // Products that add to the same outputs come one after the other.
    guard products.count == 1 || Set(products.map(\.c)).count == products.count else {
        for product in products { run([product], arithmetic) }
        return
    }
    let threads = isOrdered ? ThreadPool.threadCount : 4
    var blocks: [ProductBlocks] = []
    for product in products {
        blocks.append(ProductBlocks(m: product.m, n: product.n, k: product.k, threads: threads))
        if product.k == 0 && !product.isAdding { product.setZeros() }
    }
    ThreadPool.forEach(blocks.reduce(0) { $0 + $1.count }, grain: 1) { range in
        for task in range {
            var (index, at) = (task, 0)
            while index >= blocks[at].count {
                index -= blocks[at].count
                at += 1
            }
            let product = products[at]
            let (rows, columns) = blocks[at][index]
            guard isOrdered, let ordered else {
                S._gemm(product.part(rows, columns))
                continue
            }
            var operands = ck_product(
                a: product.a,
                b: product.b,
                c: product.c,
                a_stride: product.aStride,
                b_stride: product.bStride,
                c_stride: product.cStride,
                k: product.k,
                transpose_a: product.transposeA,
                transpose_b: product.transposeB,
                adding: product.isAdding
            )
            ordered(&operands, rows.lowerBound, rows.count, columns.lowerBound, columns.count)
        }
    }
    withExtendedLifetime(products) {}
}

/// How the outputs of a product are cut into equal blocks, each of which is one task.
struct ProductBlocks {
    let m: Int
    let n: Int
    private(set) var rows: Int
    private(set) var columns: Int

    /// Columns of a block: as many as keep its panel of B within a megabyte.
    static let mostColumns = 512
    static let mostRows = 1024

    /// The cut that should be done first.
    ///
    /// The time of a block is counted as its multiply-adds, 16 at a time, and copying both its operands.
    /// A tenth of a block stands for the thread that comes late.
    ///
    /// Measured on Zen 4: copying one number takes a third to a half of sixteen multiply-adds.
    init(m: Int, n: Int, k: Int, threads: Int) {
        (self.m, self.n, rows, columns) = (m, n, max(m, 1), max(n, 1))
        guard m > 0 && n > 0 && k > 0 else { return }
        // Below some 20 microseconds of work, waking a thread costs more than it brings.
        let isSmall = m * n * k <= 1 << 19
        let (down, across) = (
            (m + Self.mostRows - 1) / Self.mostRows, (n + Self.mostColumns - 1) / Self.mostColumns
        )
        let mostTurns = isSmall || threads == 1 ? 0 : 4
        var least = Double.infinity
        for j in across...max(across, min(across + mostTurns * threads, n / 64)) {
            // The fewest rows of blocks, and those with which every thread has one block, two, ...
            for turn in 0...mostTurns {
                let i = min(max(down, (turn * threads + j - 1) / j), max(down, m / 32))
                let (height, width) = (Self.part(m, i), Self.part(n, j))
                let blocks = ((m + height - 1) / height) * ((n + width - 1) / width)
                let time = Double(height * width) / 16 + 0.4 * Double(height) + 0.5 * Double(width)
                let turns = Double((blocks + threads - 1) / threads) + (threads > 1 ? 0.1 : 0)
                if time * turns < least {
                    least = time * turns
                    (rows, columns) = (height, width)
                }
            }
        }
    }

    /// Length of each of `count` equal parts, in whole groups of 32.
    private static func part(_ length: Int, _ count: Int) -> Int {
        min(length, (length + 32 * count - 1) / (32 * count) * 32)
    }

    private var across: Int { (n + columns - 1) / columns }

    /// Number of blocks.
    var count: Int { (m + rows - 1) / rows * across }

    /// Rows and columns of a block.
    subscript(index: Int) -> (rows: Range<Int>, columns: Range<Int>) {
        let (i, j) = (index / across * rows, index % across * columns)
        return (i..<min(i + rows, m), j..<min(j + columns, n))
    }
}

/// Floating-point operations and time of matrix products, for benchmarks.
///
/// Counted on the thread that calls `gemm`, between `start()` and `stop()`; one caller at a time.
public enum ProductMeter {
    nonisolated(unsafe) static var isOn = false
    nonisolated(unsafe) static var operations = 0.0
    nonisolated(unsafe) static var time = Duration.zero

    /// Starts counting from zero.
    public static func start() { (isOn, operations, time) = (true, 0, .zero) }

    /// Stops counting.
    ///
    /// - Returns: Operations (2 m n k a product) and the seconds spent in them.
    public static func stop() -> (operations: Double, seconds: Double) {
        isOn = false
        return (operations, time / .seconds(1))
    }
}
