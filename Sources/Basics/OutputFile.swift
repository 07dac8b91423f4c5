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
        // A link would lead the writing elsewhere, and a pipe would wait for a reader.
        descriptor = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw OutputFile.failure("cannot be opened for writing", path)
        }
        var status = stat()
        guard fstat(descriptor, &status) == 0, [S_IFREG, S_IFCHR].contains(status.st_mode & S_IFMT)
        else {
            close(descriptor)
            descriptor = -1
            throw Failure(
                .disk,
                file: path,
                "is no regular file",
                remedy: "Remove it and run the same command again."
            )
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

    /// Cuts off what follows the last line break: what an interrupted append left.
    ///
    /// - Throws: `Failure.disk`.
    func cutTornLine() throws {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw OutputFile.failure("is unknown", path) }
        let reader = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC)
        guard reader >= 0 else { throw OutputFile.failure("cannot be read", path) }
        defer { close(reader) }
        var block = [UInt8](repeating: 0, count: 1 << 16)
        var end = Int(status.st_size)
        var keep = 0
        while end > 0, keep == 0 {
            let start = max(0, end - block.count)
            let count = pread(reader, &block, end - start, off_t(start))
            guard count == end - start else { throw OutputFile.failure("cannot be read", path) }
            if let last = block[..<count].lastIndex(of: 0x0A) { keep = start + last + 1 }
            end = start
        }
        guard keep < Int(status.st_size) else { return }
        guard ftruncate(descriptor, off_t(keep)) == 0 else {
            throw OutputFile.failure("cannot be cut", path)
        }
    }

    /// Refuses to go on where the file has lost its name: what is written to it then is lost too.
    ///
    /// - Throws: `Failure.disk`.
    public func checkIsInPlace() throws {
        var (own, named) = (stat(), stat())
        guard fstat(descriptor, &own) == 0, lstat(path, &named) == 0, own.st_ino == named.st_ino,
            own.st_dev == named.st_dev
        else {
            throw Failure(
                .disk,
                file: path,
                "was removed or replaced while it was written to",
                remedy: "Run the same command again: it makes what is missing."
            )
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
        try synchronizeFolder(folder)
    }

    /// Flushes a folder's names to the device, where the file system has that.
    ///
    /// - Throws: `Failure.disk`.
    static func synchronizeFolder(
        _ folder: String,
        fsync: (Int32) -> Int32 = { Glibc.fsync($0) }
    ) throws {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // A folder that may be written to but not listed cannot be flushed.
        if descriptor < 0, errno == EACCES { return }
        guard descriptor >= 0 else { throw failure("cannot be opened", folder) }
        defer { close(descriptor) }
        var status: Int32
        repeat { status = fsync(descriptor) } while status != 0 && errno == EINTR
        guard status == 0 || [EINVAL, ENOTSUP, ENOSYS].contains(errno) else {
            throw failure("cannot be flushed", folder)
        }
    }

    static func failure(_ what: String, _ path: String) -> Failure {
        let code = errno
        let remedy =
            switch code {
            case ELOOP: "It is a symbolic link: remove it and run the same command again."
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
