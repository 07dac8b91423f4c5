import CKernels

/// Element type of all numeric buffers: `Float` (fast kernels) or `Double` (plain kernels, which
/// gradient checks run on and the fast ones are tested against).
public protocol KernelScalar: BinaryFloatingPoint, BitwiseCopyable, Sendable {
    /// The C kernels of this type.
    static var _kernels: UnsafePointer<ck_kernels> { get }
    /// The C matrix product of this type.
    static func _gemm(_ product: MatrixProduct<Self>)
}

extension KernelScalar {
    static var kernels: ck_kernels {
        @inline(__always) get { _kernels.pointee }
    }
}

extension Float: KernelScalar {
    /// The fast kernels of this CPU, or those of the enclosing `withInstructionSet`.
    public static var _kernels: UnsafePointer<ck_kernels> { ck_kernels_float() }

    /// Runs `body` with the kernels of one instruction set, on this thread and in the loops that it
    /// starts; other threads keep theirs.
    ///
    /// - Parameters:
    ///   - name: "portable", "avx2" or "avx512".
    ///   - body: What to run.
    /// - Returns: What `body` returns; nil where this CPU cannot run the instruction set.
    /// - Throws: What `body` throws.
    package static func withInstructionSet<R>(_ name: String, _ body: () throws -> R) rethrows -> R?
    {
        guard let table = ck_kernels_named(name) else { return nil }
        let before = ck_kernels_use(table)
        defer { _ = ck_kernels_use(before) }
        return try body()
    }

    /// One single-threaded call.
    public static func _gemm(_ product: MatrixProduct<Float>) {
        OpenBLAS.shared.multiply(product)
    }
}

extension Double: KernelScalar {
    /// The plain kernels.
    public static var _kernels: UnsafePointer<ck_kernels> { ck_kernels_double() }

    /// One single-threaded call.
    public static func _gemm(_ product: MatrixProduct<Double>) {
        OpenBLAS.shared.multiply(product)
    }
}
