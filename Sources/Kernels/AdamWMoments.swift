import CKernels

/// AdamW's two moments of a run of weights: in the weights' own type, or in bfloat16, which takes
/// half of float32's memory.
///
/// A bfloat16 keeps eight bits of a number, more than what a step changes in a slowly moving mean:
/// rounded to the nearest, the mean would stand still. So a moment is rounded up or down by chance,
/// right on average. The chance is a hash of step and place: it does not depend on threads, nor on
/// interruptions.
/// Source: Gupta et al. 2015, arXiv:1502.02551, section 3 (stochastic rounding).
public enum AdamWMoments<Scalar: KernelScalar>: Sendable {
    /// In the weights' type.
    case native(first: Buffer<Scalar>, second: Buffer<Scalar>)
    /// In bfloat16.
    case bfloat16(first: BFloat16Buffer, second: BFloat16Buffer)

    /// Moments of `count` weights that have not been trained yet: zeros.
    public init(count: Int, bfloat16: Bool) {
        self =
            bfloat16
            ? .bfloat16(first: BFloat16Buffer(zeros: count), second: BFloat16Buffer(zeros: count))
            : .native(first: .zeros(count), second: .zeros(count))
    }

    /// Number of weights.
    public var count: Int {
        switch self {
        case .native(let first, _): first.count
        case .bfloat16(let first, _): first.count
        }
    }

    /// The moments of part of the weights, which share these' memory.
    public subscript(range: Range<Int>) -> AdamWMoments {
        switch self {
        case .native(let first, let second): .native(first: first[range], second: second[range])
        case .bfloat16(let first, let second): .bfloat16(first: first[range], second: second[range])
        }
    }

    /// The means of gradients; a copy where they are kept in bfloat16.
    public var first: Buffer<Scalar> {
        switch self {
        case .native(let first, _): first
        case .bfloat16(let first, _): first.widened()
        }
    }

    /// The means of squared gradients; a copy where they are kept in bfloat16.
    public var second: Buffer<Scalar> {
        switch self {
        case .native(_, let second): second
        case .bfloat16(_, let second): second.widened()
        }
    }

    /// Goes on with moments of an earlier run, which this storage holds without rounding.
    public func restore(first: Buffer<Scalar>, second: Buffer<Scalar>) {
        switch self {
        case .native(let ownFirst, let ownSecond):
            ownFirst.copy(from: first)
            ownSecond.copy(from: second)
        case .bfloat16(let ownFirst, let ownSecond):
            ownFirst.set(0..<first.count, first.base, key: 0)
            ownSecond.set(0..<second.count, second.base, key: 0)
        }
    }

    /// Numbers that are widened at once: with their moments, they stay in the first-level cache.
    private static var piece: Int { 1024 }

    /// Has `body` update some moments in place, piece by piece.
    func update(
        _ range: Range<Int>,
        step: Int,
        _ body: (Range<Int>, UnsafeMutablePointer<Scalar>, UnsafeMutablePointer<Scalar>) -> Void
    ) {
        switch self {
        case .native(let first, let second):
            body(range, first.base + range.lowerBound, second.base + range.lowerBound)
        case .bfloat16(let first, let second):
            withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 2 * Self.piece) { scratch in
                guard let m = scratch.baseAddress else { return }
                let v = m + Self.piece
                let key = UInt32(truncatingIfNeeded: 2 * step)
                for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.piece) {
                    let part = start..<min(start + Self.piece, range.upperBound)
                    first.get(part, into: m)
                    second.get(part, into: v)
                    body(part, m, v)
                    first.set(part, m, key: key)
                    second.set(part, v, key: key + 1)
                }
            }
        }
    }
}

/// A view of bfloat16 numbers in memory; slices share it.
public struct BFloat16Buffer: @unchecked Sendable {
    private let storage: Storage<UInt16>
    /// Where the view begins in its memory.
    private let start: Int
    /// Number of elements.
    public let count: Int

    /// Allocates zeros.
    init(zeros count: Int) {
        self.init(storage: Storage(count: count), start: 0, count: count)
        let base = SendablePointer(storage.base)
        ThreadPool.forEach(count, grain: 1 << 18) { range in
            (base.value + range.lowerBound).update(repeating: 0, count: range.count)
        }
    }

    private init(storage: Storage<UInt16>, start: Int, count: Int) {
        self.storage = storage
        self.start = start
        self.count = count
    }

    subscript(range: Range<Int>) -> BFloat16Buffer {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= count,
            "BFloat16Buffer[\(range)] of \(count) elements"
        )
        return BFloat16Buffer(
            storage: storage,
            start: start + range.lowerBound,
            count: range.count
        )
    }

    /// A copy in another type.
    func widened<S: KernelScalar>() -> Buffer<S> {
        let copy = Buffer<S>(count: count)
        get(0..<count, into: copy.base)
        return copy
    }

    /// Reads numbers into another type's memory.
    func get<S: KernelScalar>(_ range: Range<Int>, into numbers: UnsafeMutablePointer<S>) {
        let from = storage.base + start + range.lowerBound
        S.kernels.dequantize(Int32(CK_BF16.rawValue), range.count, from, numbers)
    }

    /// Writes numbers, rounded by chance; those that bfloat16 can hold stay as they are.
    func set<S: KernelScalar>(_ range: Range<Int>, _ numbers: UnsafePointer<S>, key: UInt32) {
        let first = start + range.lowerBound
        S.kernels.round_bfloat16(
            range.count,
            numbers,
            key,
            UInt32(truncatingIfNeeded: first),
            storage.base + first
        )
    }
}
