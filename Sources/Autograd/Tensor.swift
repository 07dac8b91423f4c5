import Basics
import Kernels

/// Numbers with a shape, row-major and dense.
///
/// A tensor is a view of a `Buffer` and shares its memory when copied. Values on a tape are never
/// changed; only optimizers and gradient accumulation write in place.
public struct Tensor<Scalar: KernelScalar>: Sendable {
    /// Extent of each axis, slowest first; a scalar has shape `[1]`.
    public let shape: [Int]
    /// The elements, `shape.product` of them.
    public let buffer: Buffer<Scalar>

    /// A tensor over existing memory.
    ///
    /// - Precondition: the buffer has as many elements as the shape.
    public init(_ buffer: Buffer<Scalar>, shape: [Int]) {
        precondition(
            buffer.count == shape.reduce(1, *),
            "tensor: \(buffer.count) elements cannot have shape \(shape)"
        )
        self.shape = shape
        self.buffer = buffer
    }

    /// A tensor of the given elements.
    public init(_ elements: [Scalar], shape: [Int]) {
        self.init(Buffer(elements), shape: shape)
    }

    /// A tensor whose elements are not set yet.
    public init(uninitialized shape: [Int]) {
        self.init(Buffer(count: shape.reduce(1, *)), shape: shape)
    }

    /// A tensor of zeros.
    public static func zeros(_ shape: [Int]) -> Tensor {
        Tensor(Buffer.zeros(shape.reduce(1, *)), shape: shape)
    }

    /// Normally distributed elements with mean 0, reproducible from stream and item.
    public static func normal(
        _ shape: [Int],
        standardDeviation: Double,
        stream: RandomStream,
        item: UInt64
    ) -> Tensor {
        let tensor = Tensor(uninitialized: shape)
        ThreadPool.forEach(tensor.count, grain: 4096) { range in
            for index in range {
                tensor.buffer[index] = Scalar(
                    stream.normal(item: item, attempt: 0, position: index, draw: 0)
                        * standardDeviation
                )
            }
        }
        return tensor
    }

    /// Number of elements.
    public var count: Int { buffer.count }

    /// Extent of the last axis.
    public var columns: Int { shape.last ?? 1 }

    /// Number of vectors along the last axis.
    public var rows: Int { columns == 0 ? 0 : count / columns }

    /// The elements, copied out.
    public var elements: [Scalar] { buffer.array }

    /// The only element.
    ///
    /// - Precondition: there is exactly one.
    public var item: Scalar {
        precondition(count == 1, "item: a tensor of shape \(shape) is not a scalar")
        return buffer[0]
    }

    /// The same elements in another shape.
    public func reshaped(_ shape: [Int]) -> Tensor { Tensor(buffer, shape: shape) }

    /// Rows `range` of the flattened `[rows, columns]` view, sharing memory.
    public func rows(_ range: Range<Int>) -> Tensor {
        Tensor(
            buffer[range.lowerBound * columns..<range.upperBound * columns],
            shape: [range.count, columns]
        )
    }
}
