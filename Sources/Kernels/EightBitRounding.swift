extension StoredMatrix {
    /// A `[rows, columns]` matrix rounded to eight bits: blocks of 32 numbers of a row with one
    /// float16 scale, so that the largest of them becomes 127 (ggml's `q8_0`).
    ///
    /// - Precondition: `columns` is a multiple of 32, and there are `rows` × `columns` values.
    public init(rounding values: Buffer<Float>, rows: Int, columns: Int) {
        let format = BlockFormat.q8_0
        let (size, bytesPerBlock) = (format.blockSize, format.bytesPerBlock)
        precondition(
            values.count == rows * columns && columns % size == 0,
            "StoredMatrix: \(values.count) values for [\(rows), \(columns)] in \(format)"
        )
        let blocks = values.count / size
        let owner = RoundedBytes(count: blocks * bytesPerBlock)
        ThreadPool.forEach(blocks, grain: 512) { range in
            for block in range {
                round(
                    UnsafeBufferPointer(start: values.base + block * size, count: size),
                    into: owner.base + block * bytesPerBlock
                )
            }
        }
        self.init(
            format: format,
            rows: rows,
            columns: columns,
            bytes: UnsafeRawBufferPointer(start: owner.base, count: blocks * bytesPerBlock),
            owner: owner
        )
    }
}

/// One block: the scale, then a signed byte a number.
private func round(_ values: UnsafeBufferPointer<Float>, into block: UnsafeMutableRawPointer) {
    let largest = values.reduce(0) { max($0, abs($1)) }
    // Numbers are divided by the scale as it is stored; below float16's range they all become 0.
    let scale = Float16(largest / 127)
    let inverse = scale > 0 ? 1 / Float(scale) : 0
    block.storeBytes(of: scale.bitPattern.littleEndian, as: UInt16.self)
    for (index, value) in values.enumerated() {
        let rounded = (value * inverse).rounded(.toNearestOrEven)
        block.storeBytes(
            of: Int8(max(-127, min(127, rounded))),
            toByteOffset: 2 + index,
            as: Int8.self
        )
    }
}

/// Keeps the blocks of a rounded matrix.
private final class RoundedBytes: @unchecked Sendable {
    private let buffer: Buffer<Float>

    init(count: Int) { buffer = Buffer(count: (count + 3) / 4) }

    var base: UnsafeMutableRawPointer { UnsafeMutableRawPointer(buffer.base) }
}
