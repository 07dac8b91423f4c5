import CKernels

/// Memory that buffers share: 64-byte aligned, freed with its last view.
final class Storage<Element: BitwiseCopyable>: @unchecked Sendable {
    let base: UnsafeMutablePointer<Element>
    private let bytes: Int

    init(count: Int) {
        bytes = count * MemoryLayout<Element>.stride
        base = ck_allocate(bytes).bindMemory(to: Element.self, capacity: count)
    }

    deinit { ck_deallocate(base, bytes) }
}

/// A view of numbers in memory: copies of it and slices share the same storage.
///
/// Kernels write into the buffers they are given; two threads may use one buffer at once only if
/// neither writes what the other touches.
public struct Buffer<Scalar: KernelScalar>: @unchecked Sendable {
    let storage: Storage<Scalar>
    /// The first element.
    let base: UnsafeMutablePointer<Scalar>
    /// Number of elements.
    public let count: Int

    /// Allocates `count` elements whose values are not set.
    @_specialize(where Scalar == Float)
    public init(count: Int) {
        precondition(count >= 0, "Buffer(count: \(count))")
        storage = Storage(count: count)
        base = storage.base
        self.count = count
    }

    private init(storage: Storage<Scalar>, base: UnsafeMutablePointer<Scalar>, count: Int) {
        self.storage = storage
        self.base = base
        self.count = count
    }

    /// Allocates `count` zeros.
    public static func zeros(_ count: Int) -> Buffer {
        let buffer = Buffer(count: count)
        buffer.fill(0)
        return buffer
    }

    /// Allocates a copy of an array.
    public init(_ values: [Scalar]) {
        self.init(count: values.count)
        values.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            base.update(from: start, count: source.count)
        }
    }

    /// A view of part of the buffer, which shares its storage.
    public subscript(range: Range<Int>) -> Buffer {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count,
            "Buffer[\(range)] of \(count) elements"
        )
        return Buffer(
            storage: storage,
            base: base + range.lowerBound,
            count: range.count
        )
    }

    /// One element.
    public subscript(index: Int) -> Scalar {
        get {
            precondition(index >= 0 && index < count, "Buffer[\(index)] of \(count) elements")
            return base[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "Buffer[\(index)] of \(count) elements")
            base[index] = newValue
        }
    }

    /// A copy of the elements.
    public var array: [Scalar] { Array(UnsafeBufferPointer(start: base, count: count)) }

    /// Sets every element.
    public func fill(_ value: Scalar) {
        let base = SendablePointer(base)
        ThreadPool.forEach(count, grain: 1 << 18) { range in
            (base.value + range.lowerBound).update(repeating: value, count: range.count)
        }
    }

    /// Copies all elements of a buffer of the same count.
    public func copy(from source: Buffer) {
        precondition(source.count == count, "copy of \(source.count) elements into \(count)")
        let (to, from) = (SendablePointer(base), SendablePointer(source.base))
        ThreadPool.forEach(count, grain: 1 << 18) { range in
            (to.value + range.lowerBound).update(
                from: from.value + range.lowerBound,
                count: range.count
            )
        }
    }

    /// Reads the elements in place.
    public func withSpan<R>(_ body: (Span<Scalar>) throws -> R) rethrows -> R {
        try body(UnsafeBufferPointer(start: base, count: count).span)
    }

    /// Reads or writes the elements in place, for readers and writers of files.
    package func withUnsafeMutableBufferPointer<R>(
        _ body: (UnsafeMutableBufferPointer<Scalar>) throws -> R
    ) rethrows -> R {
        try withExtendedLifetime(storage) {
            try body(UnsafeMutableBufferPointer(start: base, count: count))
        }
    }

    /// The first element, for readers and writers of files; valid while the buffer lives.
    package var pointer: UnsafeMutablePointer<Scalar> { base }
}

/// A pointer that may cross into the pool's threads.
struct SendablePointer<Pointee>: @unchecked Sendable {
    let value: UnsafeMutablePointer<Pointee>

    init(_ value: UnsafeMutablePointer<Pointee>) { self.value = value }
}
