import CKernels

/// C = alpha op(A) op(B) + beta C, row-major and dense; op transposes where its flag is set.
///
/// The output is cut into panels that depend on the shape alone, each computed by one
/// single-threaded call; so the bytes do not depend on the number of threads.
///
/// - Parameters:
///   - a: `[m, k]`, or `[k, m]` when `transposeA`.
///   - transposeA: Whether `a` is stored transposed.
///   - b: `[k, n]`, or `[n, k]` when `transposeB`.
///   - transposeB: Whether `b` is stored transposed.
///   - c: `[m, n]`; not read where `beta` is 0.
///   - m: Rows of the output.
///   - n: Columns of the output.
///   - k: Terms of each sum.
///   - alpha: Factor of the product.
///   - beta: Factor of what `c` held.
public func gemm<S: KernelScalar>(
    _ a: Buffer<S>,
    transposeA: Bool = false,
    _ b: Buffer<S>,
    transposeB: Bool = false,
    into c: Buffer<S>,
    m: Int,
    n: Int,
    k: Int,
    alpha: S = 1,
    beta: S = 0
) {
    precondition(
        a.count == m * k && b.count == k * n && c.count == m * n,
        "gemm: [\(m), \(k)] x [\(k), \(n)] with \(a.count), \(b.count), \(c.count) elements"
    )
    guard m > 0 && n > 0 else { return }
    guard k > 0 else {
        if beta == 0 { c.fill(0) } else { scale(c, by: beta, into: c) }
        return
    }
    gemm(
        MatrixProduct(
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
            alpha: alpha,
            beta: beta
        )
    )
}

/// Runs a product with row strides by fixed panels.
func gemm<S: KernelScalar>(_ product: MatrixProduct<S>) {
    guard ProductMeter.isOn else { return runPanels(product) }
    let start = ContinuousClock.now
    runPanels(product)
    ProductMeter.time += ContinuousClock.now - start
    ProductMeter.operations += 2 * Double(product.m) * Double(product.n) * Double(product.k)
}

private func runPanels<S: KernelScalar>(_ product: MatrixProduct<S>) {
    let panel = PanelSize(m: product.m, n: product.n, k: product.k)
    let down = (product.m + panel.rows - 1) / panel.rows
    let across = (product.n + panel.columns - 1) / panel.columns
    ThreadPool.forEach(down * across, grain: 1) { range in
        for index in range {
            let (i, j) = (index / across * panel.rows, index % across * panel.columns)
            var part = product
            part.a += product.transposeA ? i : i * product.aStride
            part.b += product.transposeB ? j * product.bStride : j
            part.c += i * product.cStride + j
            part.m = min(panel.rows, product.m - i)
            part.n = min(panel.columns, product.n - j)
            S._gemm(part)
        }
    }
}

/// Rows and columns of the output that one call computes.
struct PanelSize {
    var rows: Int
    var columns: Int

    /// Equal panels of at most 512 x 1280, a multiple of four of them, so that two or four threads
    /// finish together; of the cuts that do, the one that packs least.
    ///
    /// A panel packs its part of both operands again, which this size pays for. Measured with
    /// OpenBLAS 0.3.21, SkylakeX kernels on Zen 4, two cores, products of 512 rows with 896 to 8960
    /// columns: within 7 % of the library's own threads, mostly within 3 %.
    init(m: Int, n: Int, k: Int) {
        (rows, columns) = (m, n)
        // Below some 20 microseconds of work, waking a thread costs more than it brings.
        guard m * n * k > 1 << 19 else { return }
        let (down, across) = ((m + 511) / 512, (n + 1279) / 1280)
        var least = Int.max
        for j in across..<across + 4 {
            for i in down..<down + 4 where i * j % 4 == 0 && m * j + n * i < least {
                least = m * j + n * i
                (rows, columns) = (PanelSize.part(m, i), PanelSize.part(n, j))
            }
        }
    }

    /// Length of each of `count` equal parts, in whole groups of 16.
    private static func part(_ length: Int, _ count: Int) -> Int {
        min(length, (length + 16 * count - 1) / (16 * count) * 16)
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

    /// Operations a second of OpenBLAS with threads of its own, to compare with.
    ///
    /// The best of some products of 1024 x 3072 x 1024; takes about half a second.
    public static func libraryRate() -> Double {
        let (m, n) = (1024, 3072)
        let (a, b, c) = (
            Buffer<Float>.zeros(m * m), Buffer<Float>.zeros(m * n), Buffer<Float>.zeros(m * n)
        )
        let product = MatrixProduct(
            a: a.base,
            transposeA: false,
            aStride: m,
            b: b.base,
            transposeB: true,
            bStride: m,
            c: c.base,
            cStride: n,
            m: m,
            n: n,
            k: m,
            alpha: 1,
            beta: 0
        )
        let seconds = (0..<16).map { _ in
            let start = ContinuousClock.now
            OpenBLAS.shared.multiply(product, threads: ThreadPool.threadCount)
            return (ContinuousClock.now - start) / .seconds(1)
        }
        return 2 * Double(m) * Double(n) * Double(m) / (seconds.min() ?? .infinity)
    }
}
