import Foundation

/// The one way in which files are opened for reading.
public enum InputFile {
    /// Opens a file for reading, without waiting for anybody at its other end.
    ///
    /// A pipe, a device or a socket by name would never end, or never begin. What this process has
    /// open already (`/dev/stdin`, `/dev/fd/3`) may be any of them.
    ///
    /// - Throws: `Failure.missingInput` for a file that is not there, cannot be read, or is no
    ///   regular file.
    public static func open(_ path: String) throws -> FileHandle {
        if let number = inherited(path) {
            let copy = fcntl(number, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0 else { throw unreadable(path, errno) }
            let handle = FileHandle(fileDescriptor: copy, closeOnDealloc: true)
            guard kind(copy) != S_IFDIR else { throw isNoFile(path, S_IFDIR) }
            return handle
        }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        // A socket cannot be opened, and says so in a way of its own.
        guard descriptor >= 0 else {
            throw errno == ENXIO ? isNoFile(path, S_IFSOCK) : unreadable(path, errno)
        }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let kind = kind(descriptor)
        guard kind == S_IFREG else { throw isNoFile(path, kind) }
        return handle
    }

    /// The bytes of a file.
    ///
    /// - Throws: `Failure.missingInput`, as `open`.
    public static func read(_ path: String) throws -> Data {
        let file = try open(path)
        defer { try? file.close() }
        do { return try file.readToEnd() ?? Data() } catch { throw failedRead(path) }
    }

    /// Some bytes of an open file.
    ///
    /// - Throws: `Failure.missingInput` when they cannot be read, or the file is shorter.
    public static func read(_ file: FileHandle, _ range: Range<Int>, _ path: String) throws
        -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: range.count)
        var done = 0
        while done < range.count {
            let count = bytes.withUnsafeMutableBytes {
                pread(
                    file.fileDescriptor,
                    $0.baseAddress?.advanced(by: done),
                    range.count - done,
                    off_t(range.lowerBound + done)
                )
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failedRead(path) }
            done += count
        }
        return bytes
    }

    /// What a read that failed in the middle of a file is reported as.
    static func failedRead(_ path: String) -> Failure {
        Failure(.missingInput, file: path, "cannot be read", remedy: "Check the disk.")
    }

    /// The descriptor that a name such as `/dev/stdin` or `/dev/fd/3` stands for.
    private static func inherited(_ path: String) -> Int32? {
        if path == "/dev/stdin" { return STDIN_FILENO }
        for prefix in ["/dev/fd/", "/proc/self/fd/"] where path.hasPrefix(prefix) {
            return Int32(path.dropFirst(prefix.count))
        }
        return nil
    }

    private static func kind(_ descriptor: Int32) -> mode_t {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
    }

    private static func unreadable(_ path: String, _ code: Int32) -> Failure {
        if code == ENOENT || code == ENOTDIR {
            return Failure(.missingInput, file: path, "no such file")
        }
        return Failure(
            .missingInput,
            file: path,
            "cannot be read: \(String(cString: strerror(code)))",
            remedy: "Check its permissions."
        )
    }

    private static func isNoFile(_ path: String, _ kind: mode_t) -> Failure {
        let name =
            switch kind {
            case S_IFDIR: "a folder"
            case S_IFIFO: "a named pipe"
            case S_IFSOCK: "a socket"
            case S_IFCHR, S_IFBLK: "a device"
            default: "no regular file"
            }
        return Failure(.missingInput, file: path, "is \(name); expected a file")
    }
}
