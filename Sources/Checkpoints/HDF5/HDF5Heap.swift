import Basics

/// The fractal heap that holds a group's links where there are many.
///
/// Objects lie in direct blocks, which a tree of indirect blocks lists row by row, `width` blocks a
/// row; blocks of the first two rows have the starting size, those of each later row twice that of
/// the row before. An object is named by its offset in the space that all blocks make up.
struct HDF5Heap {
    /// Bytes of the name of an object.
    let identifierSize: Int

    private let file: HDF5Bytes
    private let header: UInt64
    private let width: Int
    private let startingSize: Int
    private let largestDirect: Int
    private let offsetSize: Int
    private let lengthSize: Int
    private let hasChecksums: Bool
    private var blocks: [(offset: Int, block: HDF5Cursor)] = []

    init(at address: UInt64, in file: HDF5Bytes) throws {
        self.file = file
        header = address
        var cursor = try file.block(at: address, length: 146, "the heap of links")
        let start = cursor.position
        try cursor.begin("FRHP", version: 0)
        identifierSize = try cursor.small(2)
        try cursor.expect(0, 2, "filters of")
        let flags = try cursor.number(1)
        hasChecksums = flags & 2 != 0
        let largestObject = try cursor.small(4)
        _ = try cursor.bytes(16)
        _ = try cursor.bytes(48)
        let huge = try (0..<4).map { _ in try cursor.number(8) }
        width = try cursor.small(2)
        let sizes = (try cursor.number(8), try cursor.number(8))
        let offsetBits = try cursor.small(2)
        _ = try cursor.bytes(2)
        let root = try cursor.address()
        let rows = try cursor.small(2)
        try cursor.checksum(from: start)
        guard huge == [0, 0, 0, 0], flags & 0xFC == 0, (1...1024).contains(width),
            [UInt64(width), sizes.0, sizes.1].allSatisfy({ $0.nonzeroBitCount == 1 }),
            sizes.0 >= 64, sizes.0 <= sizes.1, sizes.1 <= 1 << 30,
            (16...48).contains(offsetBits), (1...32).contains(rows + 1), largestObject > 0
        else { throw cursor.failure("has a layout that this program never writes") }
        (startingSize, largestDirect) = (Int(sizes.0), Int(sizes.1))
        offsetSize = (offsetBits + 7) / 8
        // As many bytes as the smaller of the two limits of an object's length takes.
        lengthSize = min(
            (largestDirect.trailingZeroBitCount + 7) / 8,
            (Int.bitWidth - largestObject.leadingZeroBitCount - 1) / 8 + 1
        )
        guard identifierSize >= 1 + offsetSize + lengthSize else {
            throw cursor.failure("names of \(identifierSize) bytes are too short")
        }
        guard let root else { return }
        if rows == 0 {
            try readDirect(root, offset: 0, size: startingSize)
        } else {
            try readIndirect(root, offset: 0, rows: rows)
        }
    }

    /// The size of the blocks of a row.
    private func size(row: Int) -> Int { startingSize << max(0, row - 1) }

    /// Reads what all blocks begin with.
    private func begin(_ block: inout HDF5Cursor, _ signature: String, offset: Int) throws {
        try block.begin(signature, version: 0)
        try block.expect(header, 8, "heap")
        try block.expect(UInt64(offset), offsetSize, "offset")
    }

    private mutating func readDirect(_ address: UInt64, offset: Int, size: Int) throws {
        let block = try file.block(at: address, length: UInt64(size), "a block of the heap")
        var cursor = block
        try begin(&cursor, "FHDB", offset: offset)
        if hasChecksums {
            // Made while it was 0 itself.
            let place = cursor.position - block.position
            var bytes = [UInt8](file.file.bytes[block.position..<block.end])
            guard place + 4 <= bytes.count else { throw cursor.failure("is too short") }
            bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0, 0])
            try cursor.checksum(of: bytes)
        }
        blocks.append((offset, block))
    }

    private mutating func readIndirect(_ address: UInt64, offset: Int, rows: Int) throws {
        // Then no size below overflows.
        guard (startingSize * width).trailingZeroBitCount + rows <= 50, rows > 0 else {
            throw Failure(
                .badData,
                file: file.file.path,
                at: "the heap of links",
                "an indirect block of \(rows) rows, which this program never writes"
            )
        }
        let directRows = (largestDirect / startingSize).trailingZeroBitCount + 2
        let length = 4 + 1 + 8 + offsetSize + rows * width * 8 + 4
        var block = try file.block(
            at: address,
            length: UInt64(length),
            "an indirect block of the heap"
        )
        let start = block.position
        try begin(&block, "FHIB", offset: offset)
        var (children, next) = ([(address: UInt64, offset: Int, row: Int)](), offset)
        for row in 0..<rows {
            for _ in 0..<width {
                if let child = try block.address() { children.append((child, next, row)) }
                next += size(row: row)
            }
        }
        try block.checksum(from: start)
        for child in children {
            let size = size(row: child.row)
            if child.row < directRows {
                try readDirect(child.address, offset: child.offset, size: size)
            } else {
                let rows = (size / (startingSize * width)).trailingZeroBitCount + 1
                try readIndirect(child.address, offset: child.offset, rows: rows)
            }
        }
    }

    /// The object of a name that the B-tree gives.
    func object(_ identifier: HDF5Cursor) throws -> HDF5Cursor {
        var cursor = identifier
        try cursor.expect(0, 1, "kind of heap object")
        let (offset, length) = (try cursor.small(offsetSize), try cursor.small(lengthSize))
        guard let (start, block) = blocks.last(where: { $0.offset <= offset }) else {
            throw cursor.failure("there is no block of offset \(offset)")
        }
        var found = block
        _ = try found.bytes(offset - start)
        return try found.part(length, "a link")
    }
}
