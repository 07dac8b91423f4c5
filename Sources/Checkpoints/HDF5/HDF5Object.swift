import Basics

/// The header of a group or a data set: its messages, with those of its continuations.
///
/// Only headers of version 2 are read, which the writer's bounds of HDF5 1.8 make.
struct HDF5Object {
    /// What a message says, by its number in the format's document.
    enum Kind: UInt64 {
        case null, dataspace, linkInfo, datatype, oldFill, fill, link, external, layout
        case groupInfo = 0x0A
        case filters = 0x0B
        case attribute = 0x0C
        case continuation = 0x10
        case attributeInfo = 0x15
    }

    private(set) var messages: [(kind: Kind, content: HDF5Cursor)] = []

    /// Reads a header and checks its checksums.
    ///
    /// - Throws: `Failure.badData` with the place.
    init(at address: UInt64, in file: HDF5Bytes, _ name: String) throws {
        var prefix = try file.prefix(at: address, length: 64, "the header of \(name)")
        let start = prefix.position
        try prefix.begin("OHDR", version: 2)
        let flags = try prefix.number(1)
        guard flags & 0xC0 == 0 else { throw prefix.failure("unknown flags \(flags)") }
        if flags & 0x20 != 0 { _ = try prefix.bytes(16) }
        if flags & 0x10 != 0 { _ = try prefix.bytes(4) }
        let size = try prefix.number(1 << Int(flags & 3))
        let fixed = UInt64(prefix.position - start)
        guard size < UInt64(file.file.bytes.count) else {
            throw prefix.failure("claims \(size) bytes")
        }
        var header = try file.block(at: address, length: fixed + size + 4, prefix.what)
        _ = try header.bytes(Int(fixed))
        var chunks = [(start, header)]
        var next = 0
        while next < chunks.count {
            var (start, chunk) = chunks[next]
            next += 1
            var body = try chunk.part(chunk.remaining - 4)
            try chunk.checksum(from: start)
            for (address, length) in try read(&body, hasOrder: flags & 4 != 0) {
                var more = try file.block(at: address, length: length, prefix.what)
                start = more.position
                guard more.remaining >= 8, try more.bytes(4).elementsEqual("OCHK".utf8) else {
                    throw more.failure("a continuation does not begin with 'OCHK'")
                }
                chunks.append((start, more))
            }
        }
    }

    /// Reads a chunk's messages.
    ///
    /// - Returns: Where the header goes on.
    private mutating func read(
        _ body: inout HDF5Cursor,
        hasOrder: Bool
    ) throws -> [(address: UInt64, length: UInt64)] {
        var more: [(address: UInt64, length: UInt64)] = []
        // Less than a message's own header is a gap.
        while body.remaining >= (hasOrder ? 6 : 4) {
            let type = try body.number(1)
            let size = try body.small(2)
            let flags = try body.number(1)
            if hasOrder { _ = try body.bytes(2) }
            var content = try body.part(size)
            guard let kind = Kind(rawValue: type), flags & 2 == 0 else {
                throw content.failure(
                    "a message of type \(type) with flags \(flags), which this program never writes"
                )
            }
            if kind == .continuation {
                more.append((try content.number(8), try content.number(8)))
            } else if kind != .null {
                messages.append((kind, content))
            }
        }
        return more
    }

    /// The message of a kind; nil where there is none.
    ///
    /// - Throws: `Failure.badData` where there are several.
    func only(_ kind: Kind) throws -> HDF5Cursor? {
        let found = messages.filter { $0.kind == kind }
        guard found.count <= 1 else {
            throw found[1].content.failure("a second message of one kind, \(kind)")
        }
        return found.first?.content
    }

    /// Whether this is a group: something that can have members.
    var isGroup: Bool { messages.contains { $0.kind == .linkInfo } }
}

extension HDF5Object {
    /// What the values of a data set or an attribute are.
    enum Datatype: Equatable {
        case float32
        case uint16
        case text(Int)
        case other
    }

    /// Reads a datatype message.
    static func datatype(_ cursor: HDF5Cursor) throws -> Datatype {
        var cursor = cursor
        let classAndVersion = try cursor.number(1)
        guard (1...3).contains(classAndVersion >> 4) else { return .other }
        let bits = try cursor.number(3)
        let size = try cursor.small(4)
        switch classAndVersion & 15 {
        case 0 where bits == 0 && size == 2:
            // Bit offset 0, 16 bits.
            return try cursor.number(4) == 16 << 16 ? .uint16 : .other
        case 1 where bits == 0x1F20 && size == 4:
            // Bit offset 0, 32 bits; exponent at 23 of 8, mantissa at 0 of 23; bias 127.
            let isFloat =
                try cursor.number(4) == 32 << 16 && cursor.number(4) == 0x1700_0817
                && cursor.number(4) == 127
            return isFloat ? .float32 : .other
        case 3: return .text(size)
        default: return .other
        }
    }

    /// Reads a dataspace message: the axes, none for a scalar; nil for one without room for values.
    static func shape(_ cursor: HDF5Cursor) throws -> [UInt64]? {
        var cursor = cursor
        let version = try cursor.number(1)
        guard (1...2).contains(version) else {
            throw cursor.failure("a dataspace of version \(version)")
        }
        let rank = try cursor.small(1)
        _ = try cursor.number(1)
        let type = try cursor.number(1)
        if version == 1 { _ = try cursor.bytes(4) }
        guard rank <= 32 else { throw cursor.failure("\(rank) axes; expected at most 32") }
        if version == 2, type == 2 { return nil }
        return try (0..<rank).map { _ in try cursor.number(8) }
    }

    /// The bytes of a short text given to the object; nil where there is no such attribute.
    ///
    /// - Throws: `Failure.badData` when it is no text of 1 to 64 bytes.
    func attribute(_ name: String) throws -> String? {
        for (kind, content) in messages where kind == .attribute {
            var cursor = content
            try cursor.expect(3, 1, "attribute version")
            try cursor.expect(0, 1, "attribute flags")
            let sizes = try (0..<3).map { _ in try cursor.small(2) }
            _ = try cursor.number(1)
            let found = try cursor.bytes(sizes[0])
            guard found.dropLast().elementsEqual(name.utf8), found.last == 0 else { continue }
            let type = try HDF5Object.datatype(cursor.part(sizes[1]))
            let shape = try HDF5Object.shape(cursor.part(sizes[2]))
            guard case .text(let size) = type, shape == [], (1...64).contains(size),
                size == cursor.remaining
            else { throw cursor.failure("attribute '\(name)' is no text of 1 to 64 bytes") }
            return String(decoding: try cursor.bytes(size), as: UTF8.self)
        }
        return nil
    }
}
