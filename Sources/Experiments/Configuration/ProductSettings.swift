import Kernels

/// What the matrix products of training are computed with.
public struct ProductSettings: Sendable, Equatable {
    /// The type of their operands; sums, weights, gradients and all else are float32.
    public enum Precision: String, Sendable, CaseIterable {
        /// The weights' own.
        case float32
        /// Rounded to bfloat16 where they enter a product.
        case bfloat16
        /// bfloat16 where a short measurement at the start finds it faster, otherwise float32.
        case auto
    }

    /// Who computes them.
    public enum Products: String, Sendable, CaseIterable {
        /// Kernels of ours, which give the same bits on every machine.
        case ordered
        /// OpenBLAS: its release and the machine decide the last bits.
        case openblas
    }

    /// The type of the operands.
    public var precision = Precision.float32
    /// Who computes them.
    public var products = Products.ordered

    /// Our kernels in float32.
    public init() {}

    /// What they are computed with; nil where that is to be measured.
    public var arithmetic: ProductArithmetic? {
        switch (products, precision) {
        case (.openblas, _): .openBLAS
        case (.ordered, .float32): .float32
        case (.ordered, .bfloat16): .bfloat16
        case (.ordered, .auto): nil
        }
    }
}
