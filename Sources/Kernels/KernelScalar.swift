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
    /// The fast table of this CPU; tests replace it to compare instruction sets.
    nonisolated(unsafe) static var table = ck_kernels_float()

    /// The fast kernels.
    public static var _kernels: UnsafePointer<ck_kernels> { table }

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
