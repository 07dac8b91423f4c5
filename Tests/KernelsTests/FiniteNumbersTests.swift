import Foundation
import Testing

@testable import Kernels

/// Numbers that are not finite, in every format, found where dequantising finds them.
@Suite struct FiniteNumbersTests {
    /// Half-precision and single-precision bit patterns that are not finite.
    static let patterns: [[UInt8]] = [
        [0x00, 0x7C], [0x00, 0xFC], [0x01, 0x7E], [0x80, 0x7F], [0x80, 0xFF], [0xC0, 0x7F],
        [0x00, 0x00, 0x80, 0x7F], [0x01, 0x00, 0x80, 0xFF],
    ]

    @Test(arguments: BlockFormat.allCases) func agreesWithDequantising(_ format: BlockFormat) throws
    {
        let whole = try weight(format, rows: 1, columns: 768, BlockFixture.load())
        let sound = Data(whole.bytes)
        #expect(whole.firstNotFinite == nil)
        // Every place of one block, in the middle of others.
        let block = 256 / format.blockSize * format.bytesPerBlock
        for pattern in Self.patterns {
            for offset in 0...max(0, format.bytesPerBlock - pattern.count) {
                var bytes = sound
                let place = block + offset
                bytes.replaceSubrange(place..<place + pattern.count, with: pattern)
                let matrix = stored(format, bytes, rows: 1)
                let values: Buffer<Float> = matrix.dequantized(rows: 0..<1)
                let first = values.array.firstIndex { !$0.isFinite }
                let expected = first.map { $0 / format.blockSize * format.blockSize }
                #expect(matrix.firstNotFinite?.column == expected, "\(pattern) at \(offset)")
            }
        }
    }

    @Test func findsTheFirstOfMany() {
        // Longer than a stretch, a chunk of the pool, and not a multiple of either.
        let count = 3 * (1 << 16) + 4097
        for place in [0, 4095, 4096, 65535, 65536, 150_000, count - 1] {
            let buffer = Buffer<Float>(count: count)
            buffer.fill(1)
            #expect(buffer.firstNotFinite == nil)
            buffer[count - 1] = .infinity
            buffer[place] = .nan
            #expect(buffer.firstNotFinite == place)
        }
        #expect(Buffer<Float>(count: 0).firstNotFinite == nil)
        let rows = Data(repeating: 0, count: 70 * 1000 * 4)
        var changed = rows
        changed.replaceSubrange(
            4 * (53 * 1000 + 7)..<4 * (53 * 1000 + 8),
            with: [0, 0, 0x80, 0x7F]
        )
        #expect(stored(.f32, rows, rows: 70).firstNotFinite == nil)
        let found = stored(.f32, changed, rows: 70).firstNotFinite
        #expect(found?.row == 53 && found?.column == 7)
    }
}
