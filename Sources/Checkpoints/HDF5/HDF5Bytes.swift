import Basics

/// The bytes of an HDF5 file, handed out in blocks that are checked against the file's end.
///
/// No byte is handed out twice: blocks of a sound file do not overlap, so whatever leads back to
/// where it came from, or promises more than there is, ends here.
/// Source of all structures: The HDF Group, "HDF5 File Format Specification Version 3.0".
final class HDF5Bytes {
    let file: MappedFile
    /// What addresses in the file are relative to.
    let base: Int
    private var starts: Set<Int> = []
    private var left: Int

    init(_ file: MappedFile, base: Int) {
        self.file = file
        self.base = base
        left = file.bytes.count
    }

    /// A block at an address of the file.
    ///
    /// - Throws: `Failure.badData` when it is not all inside the file, or has been handed out.
    func block(at address: UInt64, length: UInt64, _ what: String) throws -> HDF5Cursor {
        let size = UInt64(file.bytes.count - base)
        guard address <= size, length <= size - address else {
            throw failure(
                at: Int(clamping: address),
                "\(what) takes \(length) bytes; the file ends at \(file.bytes.count)"
            )
        }
        let start = base + Int(address)
        guard starts.insert(start).inserted, length <= UInt64(left) else {
            throw failure(at: start, "\(what) is where another block is")
        }
        left -= Int(length)
        return HDF5Cursor(file: file, position: start, end: start + Int(length), what: what)
    }

    /// The first bytes of a block, looked at to know how long it is.
    func prefix(at address: UInt64, length: UInt64, _ what: String) throws -> HDF5Cursor {
        let size = UInt64(file.bytes.count - base)
        guard address <= size else {
            throw failure(at: Int(clamping: address), "\(what) lies behind the end of the file")
        }
        let start = base + Int(address)
        let end = start + Int(min(length, size - address))
        return HDF5Cursor(file: file, position: start, end: end, what: what)
    }

    private func failure(at byte: Int, _ message: String) -> Failure {
        Failure(.badData, file: file.path, at: "byte \(byte)", message)
    }
}

/// A place in a block, read forward; every read is checked against what remains of the block.
struct HDF5Cursor {
    let file: MappedFile
    private(set) var position: Int
    let end: Int
    /// What is being read, for messages.
    let what: String

    init(file: MappedFile, position: Int, end: Int, what: String) {
        self.file = file
        self.position = position
        self.end = end
        self.what = what
    }

    /// Bytes not yet read.
    var remaining: Int { end - position }

    func failure(_ message: String) -> Failure {
        Failure(.badData, file: file.path, at: "byte \(position)", "\(what): \(message)")
    }

    /// The next bytes, not copied.
    mutating func bytes(_ count: Int) throws -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else {
            throw failure("\(count) bytes are expected; \(remaining) remain")
        }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: file.bytes[position..<position + count])
    }

    /// Part of the block as a separate place.
    mutating func part(_ count: Int, _ what: String? = nil) throws -> HDF5Cursor {
        let start = position
        _ = try bytes(count)
        return HDF5Cursor(file: file, position: start, end: start + count, what: what ?? self.what)
    }

    /// The next little-endian number of 1 to 8 bytes.
    mutating func number(_ size: Int) throws -> UInt64 {
        try bytes(size).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }

    /// The next number as an index or a size that is certain to fit.
    mutating func small(_ size: Int) throws -> Int { Int(try number(size)) }

    /// The next address; nil for the undefined one.
    mutating func address() throws -> UInt64? {
        let address = try number(8)
        return address == .max ? nil : address
    }

    /// Reads a number that has one right value.
    mutating func expect(_ value: UInt64, _ size: Int, _ name: String) throws {
        let found = try number(size)
        guard found == value else {
            throw failure("found \(name) \(found); this program writes \(value)")
        }
    }

    /// Reads the four letters that a block begins with, and its version.
    mutating func begin(_ signature: String, version: UInt64) throws {
        guard try bytes(4).elementsEqual(signature.utf8) else {
            throw failure("does not begin with '\(signature)'")
        }
        try expect(version, 1, "version")
    }

    /// Reads the checksum of everything from `start` to here.
    mutating func checksum(from start: Int) throws {
        try checksum(of: file.bytes[start..<position])
    }

    /// Reads the checksum of some bytes.
    mutating func checksum(of bytes: some RandomAccessCollection<UInt8>) throws {
        let right = HDF5Checksum.lookup3(bytes)
        let found = try number(4)
        guard found == UInt64(right) else {
            throw failure("its checksum is \(found); its bytes give \(right)")
        }
    }
}

/// The checksum of HDF5's metadata.
///
/// Source: Bob Jenkins 2006, lookup3.c, `hashlittle`, with 0 as the initial value.
enum HDF5Checksum {
    static func lookup3(_ bytes: some RandomAccessCollection<UInt8>) -> UInt32 {
        var (a, b, c) = (UInt32(0), UInt32(0), UInt32(0))
        a = 0xDEAD_BEEF &+ UInt32(truncatingIfNeeded: bytes.count)
        (b, c) = (a, a)
        func rotate(_ x: UInt32, _ count: UInt32) -> UInt32 { x << count | x >> (32 - count) }
        var index = bytes.startIndex
        var left = bytes.count
        guard left > 0 else { return c }
        func word(_ first: Int) -> UInt32 {
            var word: UInt32 = 0
            for byte in first..<max(first, min(first + 4, left)) {
                word |= UInt32(bytes[bytes.index(index, offsetBy: byte)]) << (8 * (byte - first))
            }
            return word
        }
        while true {
            a &+= word(0)
            b &+= word(4)
            c &+= word(8)
            guard left > 12 else { break }
            a = (a &- c) ^ rotate(c, 4)
            c = c &+ b
            b = (b &- a) ^ rotate(a, 6)
            a = a &+ c
            c = (c &- b) ^ rotate(b, 8)
            b = b &+ a
            a = (a &- c) ^ rotate(c, 16)
            c = c &+ b
            b = (b &- a) ^ rotate(a, 19)
            a = a &+ c
            c = (c &- b) ^ rotate(b, 4)
            b = b &+ a
            index = bytes.index(index, offsetBy: 12)
            left -= 12
        }
        c = (c ^ b) &- rotate(b, 14)
        a = (a ^ c) &- rotate(c, 11)
        b = (b ^ a) &- rotate(a, 25)
        c = (c ^ b) &- rotate(b, 16)
        a = (a ^ c) &- rotate(c, 4)
        b = (b ^ a) &- rotate(a, 14)
        c = (c ^ b) &- rotate(b, 24)
        return c
    }
}
