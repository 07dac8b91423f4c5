import CKernels

/// A quantised matrix in the layout that decoding reads fastest (CKernels/packing.h).
///
/// It holds the same numbers as the stored blocks, in about the same number of bytes.
///
/// Unchecked: filled once by the initializer, then only read.
final class PackedMatrix: @unchecked Sendable {
    /// Outputs of a strip, the unit that threads share out.
    static let stripRows = 16

    let base: UnsafeMutableRawPointer
    let byteCount: Int

    /// Packs a matrix; nil where its format is plain numbers.
    init?(_ matrix: StoredMatrix) {
        byteCount = ck_packed_bytes(matrix.format.code, matrix.rows, matrix.columns)
        guard byteCount > 0 else { return nil }
        base = ck_map(byteCount)
        let strips = PackedMatrix.strips(matrix.rows)
        let grain = max(1, (1 << 16) / (PackedMatrix.stripRows * matrix.columns))
        ThreadPool.forEach(strips, grain: grain) { range in
            ck_pack(
                matrix.format.code,
                matrix.rows,
                matrix.columns,
                matrix.base,
                range.lowerBound,
                range.upperBound,
                base
            )
        }
    }

    deinit { ck_unmap(base, byteCount) }

    static func strips(_ rows: Int) -> Int { (rows + stripRows - 1) / stripRows }
}

/// y = x Wᵀ (+ bias) by way of int8 activations, one scale a row and 32 columns.
///
/// Sums over 32 columns are exact; they are scaled and added in the order of the columns, so a
/// row's result has the same bits for every number of rows and threads and on every instruction
/// set.
func packedLinear(
    _ x: UnsafePointer<Float>,
    rows: Int,
    weight: StoredMatrix,
    packed: PackedMatrix,
    products: UnsafePointer<ck_packed_products>,
    bias: UnsafePointer<Float>?,
    into y: UnsafeMutablePointer<Float>
) {
    let (inputs, outputs, format) = (weight.columns, weight.rows, weight.format.code)
    let quantized = Buffer<Float>(
        count: ck_quantized_bytes(rows, inputs) / MemoryLayout<Float>.size
    )
    ThreadPool.forEach(rows, grain: max(1, (1 << 16) / inputs)) { range in
        products.pointee.quantize(
            rows,
            inputs,
            x,
            format,
            range.lowerBound,
            range.upperBound,
            quantized.base
        )
    }
    // Several tasks a thread, so that one which loses its core delays the others little; none below
    // some 4 microseconds: a column of a strip takes about (6 + rows) / 8 nanoseconds.
    let strips = PackedMatrix.strips(outputs)
    let least = 32_000 / (inputs * (6 + rows))
    let grain = max(1, strips / (8 * ThreadPool.threadCount), least)
    ThreadPool.forEach(strips, grain: grain) { range in
        products.pointee.linear(
            rows,
            inputs,
            quantized.base,
            format,
            packed.base,
            range.lowerBound,
            range.upperBound,
            outputs,
            bias,
            y
        )
    }
}
