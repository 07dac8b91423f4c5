import Basics
import CKernels
import COpenBLAS
import Foundation

/// OpenBLAS, opened at first use so that its kernels can be chosen before it starts.
///
/// The library picks its kernels in its constructor, from `OPENBLAS_CORETYPE` or by CPU model; a
/// release older than the CPU falls back to SSE3 kernels without a word. So the variable is set
/// here from CPU features first (a value the user has set stands), and the library is not linked.
/// It is held to one thread: `gemm` spreads its calls over `ThreadPool`. It computes products of double,
/// and of float where that is asked for.
final class OpenBLAS: @unchecked Sendable {
    private typealias SingleProduct =
        @convention(c) (
            CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Float,
            UnsafePointer<Float>, blasint, UnsafePointer<Float>, blasint, Float,
            UnsafeMutablePointer<Float>, blasint
        ) -> Void
    private typealias DoubleProduct =
        @convention(c) (
            CBLAS_ORDER, CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, blasint, blasint, blasint, Double,
            UnsafePointer<Double>, blasint, UnsafePointer<Double>, blasint, Double,
            UnsafeMutablePointer<Double>, blasint
        ) -> Void
    private typealias SetThreads = @convention(c) (Int32) -> Void
    private typealias Text = @convention(c) () -> UnsafePointer<CChar>

    /// The library's name of its kernels.
    let coreName: String
    /// The library's version, such as "0.3.21"; empty where it does not tell.
    let version: String
    private let single: SingleProduct
    private let double: DoubleProduct
    private let setThreads: SetThreads

    /// The opened library; stops the program with a message where there is none that works.
    static let shared: OpenBLAS = {
        do {
            let library = try OpenBLAS()
            try library.verify()
            return library
        } catch {
            try? FileHandle.standardError.write(contentsOf: Data("Error: \(error)\n".utf8))
            exit((error as? Failure)?.kind.exitCode ?? 1)
        }
    }()

    private init() throws {
        if getenv("OPENBLAS_CORETYPE") == nil, let core = ck_openblas_core() {
            setenv("OPENBLAS_CORETYPE", core, 0)
        }
        let names = [
            "libopenblas.so.0", "libopenblas.so", "libopenblas.dylib",
            "/opt/homebrew/opt/openblas/lib/libopenblas.dylib",
        ]
        var library: UnsafeMutableRawPointer?
        var reasons: [String] = []
        for name in names where library == nil {
            library = dlopen(name, RTLD_NOW | RTLD_LOCAL)
            if library == nil { reasons.append(dlerror().map { String(cString: $0) } ?? name) }
        }
        guard let handle = library else {
            throw Failure(
                .missingInput,
                "cannot open the OpenBLAS library: \(reasons[0])",
                remedy: "Where it is missing: apt-get install libopenblas-dev"
            )
        }
        func symbol<T>(_ name: String, as type: T.Type) throws -> T {
            guard let address = dlsym(handle, name) else {
                throw Failure(
                    .failed,
                    "the OpenBLAS library has no '\(name)'",
                    remedy: "Install a complete one: apt-get install libopenblas-dev"
                )
            }
            return unsafeBitCast(address, to: type)
        }
        single = try symbol("cblas_sgemm", as: SingleProduct.self)
        double = try symbol("cblas_dgemm", as: DoubleProduct.self)
        setThreads = try symbol("openblas_set_num_threads", as: SetThreads.self)
        setThreads(1)
        coreName = String(cString: try symbol("openblas_get_corename", as: Text.self)())
        // "OpenBLAS 0.3.21 NO_LAPACKE ..."
        let words = String(cString: try symbol("openblas_get_config", as: Text.self)())
            .split(separator: " ")
        version = words.count > 1 && words[0] == "OpenBLAS" ? String(words[1]) : ""
    }

    func multiply(_ p: MatrixProduct<Float>) {
        single(
            CblasRowMajor,
            p.transposeA ? CblasTrans : CblasNoTrans,
            p.transposeB ? CblasTrans : CblasNoTrans,
            blasint(p.m),
            blasint(p.n),
            blasint(p.k),
            1,
            p.a,
            blasint(p.aStride),
            p.b,
            blasint(p.bStride),
            p.isAdding ? 1 : 0,
            p.c,
            blasint(p.cStride)
        )
    }

    func multiply(_ p: MatrixProduct<Double>) {
        double(
            CblasRowMajor,
            p.transposeA ? CblasTrans : CblasNoTrans,
            p.transposeB ? CblasTrans : CblasNoTrans,
            blasint(p.m),
            blasint(p.n),
            blasint(p.k),
            1,
            p.a,
            blasint(p.aStride),
            p.b,
            blasint(p.bStride),
            p.isAdding ? 1 : 0,
            p.c,
            blasint(p.cStride)
        )
    }

    /// Runs one product on several threads of the library's own, which sleep again afterwards.
    func multiply(_ product: MatrixProduct<Float>, threads: Int) {
        setThreads(Int32(threads))
        multiply(product)
        setThreads(1)
    }

    /// Checks both products against plain loops: older releases have had wrong kernels.
    private func verify() throws {
        for (m, n, k) in [(1, 1, 1), (3, 17, 5), (33, 19, 40), (65, 70, 129)] {
            for flags in 0..<4 {
                let (ta, tb) = (flags & 1 != 0, flags & 2 != 0)
                let worst = max(
                    worstError(
                        m,
                        n,
                        k,
                        ta,
                        tb,
                        product: multiply(_:) as (MatrixProduct<Float>) -> Void
                    )
                        / Double(Float.ulpOfOne),
                    worstError(
                        m,
                        n,
                        k,
                        ta,
                        tb,
                        product: multiply(_:) as (MatrixProduct<Double>) -> Void
                    )
                        / Double.ulpOfOne
                )
                // Operands lie in -1...1, so rounding alone stays below k ulps.
                guard worst <= Double(2 * k + 4) else {
                    throw Failure(
                        .failed,
                        "OpenBLAS's '\(coreName)' kernels give wrong products "
                            + "(\(m) x \(k) times \(k) x \(n))",
                        remedy: "Set the environment variable OPENBLAS_CORETYPE to other kernels, "
                            + "such as HASWELL or NEHALEM."
                    )
                }
            }
        }
    }

    private func worstError<S: KernelScalar>(
        _ m: Int,
        _ n: Int,
        _ k: Int,
        _ transposeA: Bool,
        _ transposeB: Bool,
        product: (MatrixProduct<S>) -> Void
    ) -> Double {
        // Multiples of 1/128 that repeat with a prime period.
        let a = Buffer((0..<m * k).map { S($0 * 37 % 251 - 125) / 128 })
        let b = Buffer((0..<k * n).map { S($0 * 53 % 241 - 120) / 128 })
        let c = Buffer((0..<m * n).map { S($0 % 7) / 8 })
        let expected = (0..<m * n).map { index -> Double in
            let (i, j) = (index / n, index % n)
            return (0..<k).reduce(Double(index % 7) / 8) { total, p in
                total + Double(a[transposeA ? p * m + i : i * k + p])
                    * Double(b[transposeB ? j * k + p : p * n + j])
            }
        }
        product(
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
                isAdding: true,
                operands: [a, b, c]
            )
        )
        // `max` would drop a NaN; adding keeps it, and the caller's comparison refuses it.
        return zip(c.array, expected).reduce(0.0) { worst, pair in
            let error = abs(Double(pair.0) - pair.1)
            return error <= worst ? worst : error
        }
    }
}
