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

/// One of several products with the same input.
struct PackedProduct {
    let weight: StoredMatrix
    let packed: PackedMatrix
    let bias: UnsafePointer<Float>?
    let y: UnsafeMutablePointer<Float>
}

/// y = x Wᵀ (+ bias) by way of int8 activations, one scale a row and 32 columns, for each product.
///
/// Sums over 32 columns are exact; they are scaled and added in the order of the columns, so a
/// row's result has the same bits for every number of rows and threads and on every instruction
/// set. Products share the rounding of x and one loop of the threads.
///
/// - Precondition: All weights have as many columns.
func packedLinear(
    _ x: UnsafePointer<Float>,
    rows: Int,
    _ products: [PackedProduct],
    kernels: UnsafePointer<ck_packed_products>
) {
    guard let inputs = products.first?.weight.columns else { return }
    // What rounding keeps beside the numbers depends on a format's zero point.
    var rounded: [Int32: Buffer<Float>] = [:]
    let operands = products.map { product in
        let (format, zero) = (product.weight.format.code, ck_zero_point(product.weight.format.code))
        if let done = rounded[zero] { return done }
        let to = Buffer<Float>(
            count: ck_quantized_bytes(rows, inputs) / MemoryLayout<Float>.size
        )
        ThreadPool.forEach(rows, grain: max(1, Grain.activations / inputs)) { range in
            kernels.pointee.quantize(
                rows,
                inputs,
                x,
                format,
                range.lowerBound,
                range.upperBound,
                to.base
            )
        }
        rounded[zero] = to
        return to
    }
    // The strips of all products, one behind the other.
    var ends: [Int] = []
    for product in products {
        ends.append((ends.last ?? 0) + PackedMatrix.strips(product.weight.rows))
    }
    let strips = ends.last ?? 0
    // Several tasks a thread, so that one which loses its core delays the others little; none below
    // some 4 microseconds: a column of a strip takes about (6 + rows) / 8 nanoseconds. An even number
    // of strips, which the kernels take by twos.
    let least = 32_000 / (inputs * (6 + rows))
    let grain = (max(1, strips / (8 * ThreadPool.threadCount), least) + 1) / 2 * 2
    ThreadPool.forEach(strips, grain: grain) { range in
        var first = 0
        for (index, product) in products.enumerated() {
            let part = range.clamped(to: first..<ends[index])
            if !part.isEmpty {
                kernels.pointee.linear(
                    rows,
                    inputs,
                    operands[index].base,
                    product.weight.format.code,
                    product.packed.base,
                    part.lowerBound - first,
                    part.upperBound - first,
                    product.weight.rows,
                    product.bias,
                    product.y
                )
            }
            first = ends[index]
        }
    }
}
