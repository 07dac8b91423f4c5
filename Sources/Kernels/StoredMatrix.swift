import CKernels

/// How a matrix's numbers are stored: plain, or in ggml's quantised blocks.
public enum BlockFormat: String, Sendable, CaseIterable {
    /// 32-bit floating point.
    case f32
    /// IEEE half precision.
    case f16
    /// The upper half of a float.
    case bf16
    /// 32 int8 and a scale.
    case q8_0
    /// 32 four-bit numbers and a scale.
    case q4_0
    /// 32 four-bit numbers, a scale and a minimum.
    case q4_1
    /// 32 five-bit numbers and a scale.
    case q5_0
    /// 32 five-bit numbers, a scale and a minimum.
    case q5_1
    /// 256 four-bit numbers, with six-bit scales and minima by 32.
    case q4_K
    /// 256 five-bit numbers, with six-bit scales and minima by 32.
    case q5_K
    /// 256 six-bit numbers, with eight-bit scales by 16.
    case q6_K

    /// The format's usual name.
    public var name: String { rawValue }

    /// Values in a block.
    public var blockSize: Int { ck_block_size(code) }

    /// Bytes of a block.
    public var bytesPerBlock: Int { ck_block_bytes(code) }

    var code: Int32 {
        switch self {
        case .f32: CK_F32.rawValue
        case .f16: CK_F16.rawValue
        case .bf16: CK_BF16.rawValue
        case .q8_0: CK_Q8_0.rawValue
        case .q4_0: CK_Q4_0.rawValue
        case .q4_1: CK_Q4_1.rawValue
        case .q5_0: CK_Q5_0.rawValue
        case .q5_1: CK_Q5_1.rawValue
        case .q4_K: CK_Q4_K.rawValue
        case .q5_K: CK_Q5_K.rawValue
        case .q6_K: CK_Q6_K.rawValue
        }
    }
}

/// A `[rows, columns]` matrix kept in the bytes of its file, row after row.
public struct StoredMatrix: @unchecked Sendable {
    /// How the numbers are stored.
    public let format: BlockFormat
    /// Rows: a weight's outputs, or an embedding's vocabulary.
    public let rows: Int
    /// Columns: a weight's inputs; whole blocks of the format.
    public let columns: Int
    /// The stored blocks.
    public let bytes: UnsafeRawBufferPointer
    private let owner: AnyObject
    private let isMapped: Bool
    /// The same numbers in the layout of fast products, where there is one.
    private(set) var packed: PackedMatrix?

    /// Views bytes as a matrix; `owner` is kept alive, and with it the bytes.
    ///
    /// - Precondition: A row is whole blocks, and `bytes` holds exactly `rows` of them.
    /// - Parameters:
    ///   - format: How the numbers are stored.
    ///   - rows: Rows of the matrix.
    ///   - columns: Columns of the matrix.
    ///   - bytes: The stored blocks.
    ///   - owner: What keeps the bytes.
    ///   - isMapped: Whether the bytes are those of a mapped file, whose pages can be let go.
    public init(
        format: BlockFormat,
        rows: Int,
        columns: Int,
        bytes: UnsafeRawBufferPointer,
        owner: AnyObject,
        isMapped: Bool = false
    ) {
        precondition(
            rows > 0 && columns > 0 && columns % format.blockSize == 0
                && bytes.count == rows * (columns / format.blockSize) * format.bytesPerBlock,
            "StoredMatrix: \(bytes.count) bytes for [\(rows), \(columns)] in \(format)"
        )
        self.format = format
        self.rows = rows
        self.columns = columns
        self.bytes = bytes
        self.owner = owner
        self.isMapped = isMapped
    }

    /// The matrix with a second copy of its numbers, laid out for fast products; itself where the
    /// format is plain numbers.
    ///
    /// Pages of a mapped file are let go: only look-ups and gradients will read them again. With
    /// the copy, `linear` quantises its float input to int8; in double it stays the plain product.
    public func packedForProducts() -> StoredMatrix {
        guard packed == nil, let packed = PackedMatrix(self) else { return self }
        var copy = self
        copy.packed = packed
        releasePages()
        return copy
    }

    /// Lets go of the pages of a mapped file, which otherwise count as this process's memory once
    /// they have been read; reading them again brings them back.
    public func releasePages() { if isMapped { ck_release_pages(base, bytes.count) } }

    /// Bytes of one row.
    public var rowBytes: Int { columns / format.blockSize * format.bytesPerBlock }

    /// The first stored byte.
    var base: UnsafeRawPointer {
        guard let base = bytes.baseAddress else { preconditionFailure("empty StoredMatrix") }
        return base
    }

    /// Some rows, widened: `[rows.count, columns]`.
    public func dequantized<S: KernelScalar>(rows range: Range<Int>) -> Buffer<S> {
        let y = Buffer<S>(count: range.count * columns)
        dequantize(rows: range, into: y)
        return y
    }

    /// Some rows, widened into `[rows.count, columns]`.
    public func dequantize<S: KernelScalar>(rows range: Range<Int>, into y: Buffer<S>) {
        precondition(
            range.lowerBound >= 0 && range.upperBound <= rows
                && y.count == range.count * columns,
            "dequantize: rows \(range) of [\(rows), \(columns)] into \(y.count)"
        )
        ThreadPool.forEach(range.count, grain: max(1, (1 << 14) / columns)) { part in
            S.kernels.dequantize(
                format.code,
                part.count * columns,
                base + (range.lowerBound + part.lowerBound) * rowBytes,
                y.base + part.lowerBound * columns
            )
        }
    }

    /// y[i, :] = row ids[i], widened: the embedding look-up.
    public func gather<S: KernelScalar>(rows ids: [Int32], into y: Buffer<S>) {
        precondition(
            y.count == ids.count * columns,
            "gather: \(ids.count) rows of \(columns) into \(y.count)"
        )
        checkIds("gather", ids, rows: rows)
        ThreadPool.forEach(ids.count, grain: max(1, (1 << 14) / columns)) { part in
            for i in part {
                S.kernels.dequantize(
                    format.code,
                    columns,
                    base + Int(ids[i]) * rowBytes,
                    y.base + i * columns
                )
            }
        }
    }
}
