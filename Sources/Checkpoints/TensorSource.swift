import Basics
import Kernels

/// What a file says about one tensor.
public struct TensorInfo: Sendable, Equatable {
    /// The published (Hugging Face) name.
    public var name: String
    /// Row-major shape, as Hugging Face publishes it; empty for a scalar.
    public var shape: [Int]
    /// How the numbers are stored.
    public var format: BlockFormat

    /// Describes a tensor whose element count is known to fit `Int`.
    public init(name: String, shape: [Int], format: BlockFormat) {
        self.name = name
        self.shape = shape
        self.format = format
    }

    /// How many values the tensor holds.
    public var count: Int { shape.reduce(1, *) }
    /// The last axis; 1 for a scalar.
    public var columns: Int { shape.last ?? 1 }
    /// The product of the axes before the last; 1 for vectors and scalars.
    public var rows: Int { shape.dropLast().reduce(1, *) }
}

/// Named tensors in a file or folder: listed on opening, read only when asked for.
///
/// All readers map their files. A file that another program shortens while it is mapped ends this
/// process with a bus error; checkpoints are therefore replaced by renaming, never rewritten.
public protocol TensorSource: AnyObject, Sendable {
    /// The file or folder read, for messages.
    var path: String { get }
    /// Every tensor by its published name.
    var tensors: [String: TensorInfo] { get }
    /// A tensor in the bytes of the file, mapped and not copied where the file's order allows.
    ///
    /// Vectors are `[1, n]`; axes before the last are flattened into rows.
    /// - Throws: `Failure.badData` when there is no such tensor, or when it has no numbers.
    func matrix(_ name: String) throws -> StoredMatrix
    /// A tensor widened to float32, row-major, in memory that the caller may change.
    ///
    /// - Throws: `Failure.badData` when there is no such tensor.
    func values(_ name: String) throws -> Buffer<Float>
}

extension TensorSource {
    /// A tensor widened to float32, row-major.
    public func values(_ name: String) throws -> Buffer<Float> {
        if try info(name).count == 0 { return Buffer(count: 0) }
        let stored = try matrix(name)
        defer { stored.releasePages() }
        return stored.dequantized(rows: 0..<stored.rows)
    }

    /// What the file says about a tensor.
    ///
    /// - Throws: `Failure.badData` naming the tensor and some that are there.
    public func info(_ name: String) throws -> TensorInfo {
        if let found = tensors[name] { return found }
        let some = tensors.keys.sorted().prefix(4).joined(separator: ", ")
        throw Failure(
            .badData,
            file: path,
            at: "'\(name)'",
            "no such tensor; the file holds \(tensors.count): \(some)\(tensors.isEmpty ? "" : ", ...")"
        )
    }
}

extension TensorSource {
    /// A place in config.json as the file itself names it: another one in GGUF files.
    public func place(ofKey place: String) -> String {
        let file = (self as? GGUFFile) ?? (self as? AdaptedTensors)?.base as? GGUFFile
        return file?.metadataPlace(place) ?? place
    }
}

/// A tensor to be written: its numbers are asked for when their turn comes.
public struct NamedTensor: Sendable {
    /// The type of number on disk.
    public enum Storage: String, Sendable, CaseIterable {
        /// IEEE 754 binary32.
        case float32
        /// The upper half of binary32, rounded to nearest even.
        case bfloat16

        /// Bytes a value takes.
        public var bytesPerValue: Int { self == .float32 ? 4 : 2 }
        /// The same type, as readers name it.
        var format: BlockFormat { self == .float32 ? .f32 : .bf16 }
    }

    /// The published (Hugging Face) name.
    public var name: String
    /// Row-major shape.
    public var shape: [Int]
    /// The type of number on disk.
    public var storage: Storage
    /// Gives the numbers, row-major; called while writing, perhaps more than once.
    public var load: @Sendable () throws -> Buffer<Float>

    /// A tensor whose numbers are made or read on demand.
    public init(
        name: String,
        shape: [Int],
        storage: Storage = .float32,
        load: @escaping @Sendable () throws -> Buffer<Float>
    ) {
        self.name = name
        self.shape = shape
        self.storage = storage
        self.load = load
    }

    /// A tensor in memory.
    ///
    /// - Precondition: `values.count` is the product of `shape`.
    public init(
        name: String,
        shape: [Int],
        values: Buffer<Float>,
        storage: Storage = .float32
    ) {
        precondition(
            values.count == shape.reduce(1, *),
            "NamedTensor '\(name)': shape \(shape) does not hold \(values.count) values"
        )
        self.init(name: name, shape: shape, storage: storage) { values }
    }

    /// How many values the tensor holds.
    var count: Int { shape.reduce(1, *) }
    /// Bytes the tensor takes on disk.
    var byteCount: Int { count * storage.bytesPerValue }

    /// Loads the numbers and hands their bytes on disk to `body`.
    func withStoredBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) throws -> R {
        let values = try load()
        precondition(
            values.count == count,
            "NamedTensor '\(name)': shape \(shape) does not hold \(values.count) values"
        )
        return try values.withUnsafeMutableBufferPointer { floats in
            switch storage {
            case .float32: return try body(UnsafeRawBufferPointer(floats))
            case .bfloat16:
                return try withUnsafeTemporaryAllocation(
                    of: UInt16.self,
                    capacity: floats.count
                ) { halves in
                    ThreadPool.forEach(floats.count, grain: 1 << 16) { range in
                        for index in range { halves[index] = BFloat16.bits(floats[index]) }
                    }
                    return try body(UnsafeRawBufferPointer(halves))
                }
            }
        }
    }
}

extension TensorSource {
    /// The tensor as something to be written, read again when its turn comes.
    ///
    /// Loading it fails where one of its numbers is not finite.
    /// - Throws: `Failure.badData` when there is no such tensor.
    public func named(
        _ name: String,
        storage: NamedTensor.Storage = .float32
    ) throws -> NamedTensor {
        NamedTensor(name: name, shape: try info(name).shape, storage: storage) {
            try self.finiteValues(name)
        }
    }
}

/// The upper half of IEEE 754 binary32.
enum BFloat16 {
    /// Rounds to nearest, ties to even; a NaN stays one.
    static func bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }
}
