import Basics
import Foundation

/// A whole file mapped for reading; the mapping lives as long as this object.
///
/// Unchecked: the bytes are never written through the mapping.
final class MappedFile: @unchecked Sendable {
    let path: String
    /// Valid while this object lives: a local object needs `withExtendedLifetime`.
    let bytes: UnsafeRawBufferPointer
    private let identity: (device: dev_t, inode: ino_t)

    /// Maps a file.
    ///
    /// - Throws: `Failure.missingInput` when there is no readable file.
    init(_ path: String) throws {
        self.path = path
        let file = try InputFile.open(path)
        defer { try? file.close() }
        let descriptor = file.fileDescriptor
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw MappedFile.unreadable(path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.missingInput, file: path, "is no regular file")
        }
        identity = (status.st_dev, status.st_ino)
        let size = Int(status.st_size)
        guard size > 0 else {
            bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0)
        guard let address, address != MAP_FAILED else { throw MappedFile.unreadable(path) }
        bytes = UnsafeRawBufferPointer(start: address, count: size)
    }

    deinit {
        guard let address = bytes.baseAddress else { return }
        munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    }

    /// Whether the path still leads to the file that is mapped, at its length.
    var isCurrent: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_dev == identity.device
            && status.st_ino == identity.inode && Int(status.st_size) == bytes.count
    }

    private static func unreadable(_ path: String) -> Failure {
        Failure(
            .missingInput,
            file: path,
            "cannot be read: \(String(cString: strerror(errno)))",
            remedy: "Check its permissions."
        )
    }
}

/// Bytes on the heap, aligned for vector loads; freed with this object.
///
/// Unchecked: filled once by the code that makes it, then only read.
final class OwnedBytes: @unchecked Sendable {
    let bytes: UnsafeMutableRawBufferPointer

    /// Room for `count` bytes, not yet filled.
    init(count: Int) { bytes = .allocate(byteCount: max(count, 1), alignment: 64) }

    deinit { bytes.deallocate() }
}

/// Part of a mapped file, read forward; every read is checked against what remains.
struct ByteReader {
    let file: MappedFile
    private(set) var position = 0
    /// What is being read, for messages.
    var place: String

    init(_ file: MappedFile, place: String) {
        self.file = file
        self.place = place
    }

    /// Bytes not yet read.
    var remaining: Int { file.bytes.count - position }

    /// A failure at this place in the file.
    func failure(_ message: String) -> Failure {
        Failure(.badData, file: file.path, at: "\(place), byte \(position)", message)
    }

    /// The next bytes, not copied.
    mutating func bytes(
        _ count: UInt64,
        _ what: @autoclosure () -> String
    ) throws -> UnsafeRawBufferPointer {
        guard count <= UInt64(remaining) else {
            throw failure("\(what()) takes \(count) bytes; only \(remaining) remain in the file")
        }
        defer { position += Int(count) }
        return UnsafeRawBufferPointer(rebasing: file.bytes[position..<position + Int(count)])
    }

    /// The next little-endian integer.
    mutating func integer<T: FixedWidthInteger>(
        _ type: T.Type,
        _ what: @autoclosure () -> String
    ) throws -> T {
        T(littleEndian: try bytes(UInt64(MemoryLayout<T>.size), what()).loadUnaligned(as: type))
    }
}
