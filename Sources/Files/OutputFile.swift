import Foundation

/// A file being written, with every system call's status looked at.
public final class OutputFile {
    /// Where the file is.
    public let path: String
    private var descriptor: Int32

    /// Creates or empties a file.
    ///
    /// - Throws: `Failure.disk`.
    public convenience init(creating path: String) throws {
        try self.init(path: path, flags: O_WRONLY | O_CREAT | O_TRUNC)
    }

    /// Opens a file to append to, creating it when missing.
    ///
    /// - Throws: `Failure.disk`.
    public convenience init(appendingTo path: String) throws {
        try self.init(path: path, flags: O_WRONLY | O_CREAT | O_APPEND)
    }

    private init(path: String, flags: Int32) throws {
        self.path = path
        descriptor = open(path, flags | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw OutputFile.failure("cannot be opened for writing", path)
        }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Writes all bytes.
    ///
    /// - Throws: `Failure.disk`, for example when the disk is full.
    public func write(_ data: Data) throws {
        try data.withUnsafeBytes { bytes in
            var offset = 0
            while offset < bytes.count {
                let written = Glibc.write(
                    descriptor,
                    bytes.baseAddress?.advanced(by: offset),
                    bytes.count - offset
                )
                if written < 0 && errno == EINTR { continue }
                guard written > 0 else { throw OutputFile.failure("cannot be written", path) }
                offset += written
            }
        }
    }

    /// Flushes to the device and closes.
    ///
    /// - Throws: `Failure.disk`.
    public func synchronizeAndClose() throws {
        let status = fsync(descriptor)
        let closed = close(descriptor)
        descriptor = -1
        guard status == 0, closed == 0 else { throw OutputFile.failure("cannot be flushed", path) }
    }

    /// Renames a file over another and flushes the folder, so that the new name survives a crash.
    ///
    /// - Throws: `Failure.disk`.
    public static func rename(_ source: String, to target: String) throws {
        guard Glibc.rename(source, target) == 0 else {
            throw failure("cannot take the place of \(target)", source)
        }
        let folder = URL(filePath: target).deletingLastPathComponent().path(percentEncoded: false)
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY)
        guard descriptor >= 0 else { return }
        fsync(descriptor)
        close(descriptor)
    }

    private static func failure(_ what: String, _ path: String) -> Failure {
        let code = errno
        let remedy =
            switch code {
            case ENOSPC, EDQUOT: "Free some space and run the same command again; it goes on."
            case EACCES, EPERM, EROFS: "Check the permissions of the folder."
            default: "Check the disk."
            }
        return Failure(
            .disk,
            file: path,
            "\(what): \(String(cString: strerror(code)))",
            remedy: remedy
        )
    }
}
