import Kernels

/// Tensors of a model that is not in a file: one in training, for example.
public final class TensorsInMemory: TensorSource {
    /// What the model is called in messages.
    public let path: String
    /// Every tensor by its published name.
    public let tensors: [String: TensorInfo]
    private let values: [String: NamedTensor]

    /// Lists tensors, each loaded into memory that may be changed.
    public init(_ tensors: [NamedTensor], path: String) {
        self.path = path
        values = Dictionary(tensors.map { ($0.name, $0) }) { first, _ in first }
        self.tensors = values.mapValues {
            TensorInfo(name: $0.name, shape: $0.shape, format: .f32)
        }
    }

    /// A tensor in plain numbers.
    public func matrix(_ name: String) throws -> StoredMatrix { try plainMatrix(name) }

    /// A tensor as it is when it is asked for.
    public func values(_ name: String) throws -> Buffer<Float> {
        _ = try info(name)
        return try values[name]?.load() ?? Buffer(count: 0)
    }
}

extension TensorSource {
    /// A tensor's values as a matrix in plain numbers.
    func plainMatrix(_ name: String) throws -> StoredMatrix {
        let info = try info(name)
        let bytes = OwnedBytes(count: info.count * MemoryLayout<Float>.size)
        try values(name).withUnsafeMutableBufferPointer { values in
            bytes.bytes.copyMemory(from: UnsafeRawBufferPointer(values))
        }
        return StoredMatrix(
            format: .f32,
            rows: info.rows,
            columns: info.columns,
            bytes: UnsafeRawBufferPointer(bytes.bytes),
            owner: bytes
        )
    }
}
