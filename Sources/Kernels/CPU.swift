import CKernels

/// What this computer calculates with, for manifests and benchmark lines.
public enum CPU {
    /// Instruction set of the fast kernels: "avx512", "avx2", "neon" or "portable".
    public static var instructionSet: String {
        let name = String(cString: Float.kernels.name)
        #if arch(arm64)
            return name == "portable" ? "neon" : name
        #else
            return name
        #endif
    }

    /// OpenBLAS's own name of the kernels it runs, such as "SkylakeX".
    public static var openBLASCore: String { OpenBLAS.shared.coreName }

    /// OpenBLAS's version, such as "0.3.21".
    public static var openBLASVersion: String { OpenBLAS.shared.version }

    /// The processor's brand string, or an empty one where it has none.
    public static let modelName: String = {
        var text = [CChar](repeating: 0, count: 64)
        ck_cpu_model(&text, text.count)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }()
}
