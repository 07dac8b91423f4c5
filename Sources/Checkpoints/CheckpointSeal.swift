import Basics
import Foundation
import Kernels

/// The first 512 bytes of a checkpoint: what the rest must be, to the last bit.
///
/// HDF5 leaves a "user block" at the beginning of a file to its maker, and h5py and hdf5-tools
/// skip it. Ours is text (`head -n 3` shows it) with the schema version, the length of the file
/// and the SHA-256 of everything after the block, so a damaged or shortened file is refused before
/// anything of it is used. The seal proves that a file is whole, not who wrote it.
enum CheckpointSeal {
    /// Bytes the seal takes.
    static let size = 512
    /// The version of the layout that this program writes, and the only one that it reads.
    static let schemaVersion = 1

    private static let title = "rsd checkpoint "

    /// The block of a file of `length` bytes whose bytes after the block have this digest.
    static func block(length: Int, digest: String) -> [UInt8] {
        let text = "\(title)\(schemaVersion)\nlength \(length)\nsha256 \(digest)\n"
        return Array(text.utf8) + Array(repeating: 0, count: size - text.utf8.count)
    }

    /// The digest of everything after the block.
    private static func digest(_ file: MappedFile) -> String {
        var digest = SHA256()
        digest.update(mapped: UnsafeRawBufferPointer(rebasing: file.bytes.dropFirst(size)))
        return digest.hex()
    }

    /// Whether a file begins as checkpoints do.
    static func isPresent(_ bytes: UnsafeRawBufferPointer) -> Bool {
        bytes.starts(with: title.utf8)
    }

    /// Refuses a file that is not the one that was sealed.
    ///
    /// - Throws: `Failure.badData`.
    static func check(_ file: MappedFile) throws {
        let found = file.bytes
        guard isPresent(found) else {
            throw Failure(
                .badData,
                file: file.path,
                at: "byte 0",
                "does not begin with '\(title)\(schemaVersion)'; expected a checkpoint of this program"
            )
        }
        let damage = "The file is damaged: use an older checkpoint, or copy it again."
        guard found.count > size else {
            throw Failure(
                .badData,
                file: file.path,
                "is cut short: \(found.count) bytes; expected more than \(size)",
                remedy: damage
            )
        }
        let lines = String(decoding: found.prefix(size), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines[0] == "\(title)\(schemaVersion)" else {
            throw Failure(
                .badData,
                file: file.path,
                at: "byte \(title.utf8.count)",
                "found schema version '\(lines[0].dropFirst(title.count).prefix(20))'; "
                    + "expected \(schemaVersion)"
            )
        }
        // Only one block belongs to a length and a digest: compare all of it.
        if let length = lines.dropFirst().first.flatMap({ Int($0.dropFirst("length ".count)) }),
            length != found.count
        {
            throw Failure(
                .badData,
                file: file.path,
                "is \(found.count) bytes long; its seal says \(length)",
                remedy: damage
            )
        }
        guard found.prefix(size).elementsEqual(block(length: found.count, digest: digest(file)))
        else {
            throw Failure(
                .badData,
                file: file.path,
                at: "SHA-256",
                "its content is not what its seal says",
                remedy: damage
            )
        }
    }

    /// Seals a finished file and flushes it to the device.
    ///
    /// - Throws: `Failure.disk`.
    static func stamp(_ path: String) throws {
        let file = try MappedFile(path)
        let block = withExtendedLifetime(file) {
            CheckpointSeal.block(length: file.bytes.count, digest: digest(file))
        }
        let descriptor = open(path, O_WRONLY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, pwrite(descriptor, block, size, 0) == size, fsync(descriptor) == 0
        else {
            throw Failure(
                .disk,
                file: path,
                "cannot be sealed: \(String(cString: strerror(errno)))",
                remedy: "Check the disk and run the same command again."
            )
        }
    }
}
