import CKernels
import Synchronization

extension StoredMatrix {
    /// The first number that is infinite or not a number; nil where all are finite.
    ///
    /// Reads each byte once, at the speed of memory. In a quantised block with such a scale it is
    /// the block's first number.
    public var firstNotFinite: (row: Int, column: Int)? {
        let blocks = columns / format.blockSize
        let found = firstNumber(format, rows: rows, blocksPerRow: blocks, rowBytes, base)
        return found.map { ($0 / columns, $0 % columns) }
    }
}

extension Buffer where Scalar == Float {
    /// The index of the first number that is infinite or not a number; nil where all are finite.
    public var firstNotFinite: Int? {
        guard count > 0 else { return nil }
        let grain = 1 << 16
        let whole = count / grain
        return firstNumber(.f32, rows: whole, blocksPerRow: grain, 4 * grain, base)
            ?? firstNumber(.f32, rows: 1, blocksPerRow: count % grain, 0, base + whole * grain)
            .map { whole * grain + $0 }
    }
}

/// The index of the first number that is not finite, in rows of whole blocks.
private func firstNumber(
    _ format: BlockFormat,
    rows: Int,
    blocksPerRow: Int,
    _ rowBytes: Int,
    _ bytes: UnsafeRawPointer
) -> Int? {
    let first = Mutex<Int?>(nil)
    let rowLength = blocksPerRow * format.blockSize
    ThreadPool.forEach(rows, grain: max(1, (1 << 16) / max(rowLength, 1))) { part in
        let found = ck_first_not_finite(
            format.code,
            part.count * blocksPerRow,
            bytes + part.lowerBound * rowBytes
        )
        guard found >= 0 else { return }
        let index = part.lowerBound * rowLength + found
        first.withLock { $0 = min($0 ?? index, index) }
    }
    return first.withLock { $0 }
}
