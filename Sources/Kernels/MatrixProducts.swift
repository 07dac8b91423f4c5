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

    /// 512 x 1024, halved along the longer side while that makes fewer than four panels, down to
    /// 256 x 512.
    ///
    /// A panel packs its part of both operands again, which this size pays for. Measured with
    /// OpenBLAS 0.3.21, SkylakeX kernels on Zen 4, two cores, products of 512 rows with 1024 to
    /// 3072 columns: within 5 % of the library's own threads, mostly better.
    init(m: Int, n: Int, k: Int) {
        (rows, columns) = (m, n)
        // Below some 20 microseconds of work, waking a thread costs more than it brings.
        guard m * n * k > 1 << 19 else { return }
        (rows, columns) = (min(m, 512), min(n, 1024))
        func count() -> Int { ((m + rows - 1) / rows) * ((n + columns - 1) / columns) }
        while count() < 4 && (rows > 256 || columns > 512) {
            if columns > 512 && 2 * rows >= columns || rows <= 256 {
                columns = PanelSize.half(columns)
            } else {
                rows = PanelSize.half(rows)
            }
        }
        // Few columns or rows leave little to pack twice, so smaller parts do.
        while count() < 4 && max(rows, columns) > 64 {
            if rows >= columns {
                rows = PanelSize.half(rows)
            } else {
                columns = PanelSize.half(columns)
            }
        }
    }

    private static func half(_ length: Int) -> Int { (length + 31) / 32 * 16 }
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
