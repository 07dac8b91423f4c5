import Foundation

/// Files that appear whole or not at all.
public enum AtomicFile {
    /// Lets `body` write a temporary file beside `path`, then gives it that name.
    ///
    /// `body` must flush the file to the device. Leftovers of writers of the same file that have
    /// ended are removed first.
    /// - Throws: `Failure.disk` when `byteCount` bytes cannot fit; whatever `body` throws. The file
    ///   at `path` is then untouched and the temporary one removed.
    public static func replace(
        _ path: String,
        byteCount: Int,
        _ body: (_ temporary: String) throws -> Void
    ) throws {
        let folder = URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        try TextFile.createFolder(folder)
        sweep(folder) { $0 == URL(filePath: path).lastPathComponent }
        try requireSpace(byteCount, for: path, in: folder)
        // Locked until it has its final name, so that nobody takes it for a leftover.
        let temporary = try TemporaryFile(for: path)
        do {
            try body(temporary.path)
            try OutputFile.rename(temporary.path, to: path)
        } catch {
            unlink(temporary.path)
            throw error
        }
        withExtendedLifetime(temporary) {}
    }

    /// Removes what writers left that have ended, for the final names that match.
    public static func sweep(_ folder: String, _ matches: (String) -> Bool) {
        TemporaryFile.sweep(folder, matches)
    }

    /// Refuses to begin what cannot end: a tenth more than the file must be free.
    private static func requireSpace(_ byteCount: Int, for path: String, in folder: String) throws {
        let needed = byteCount + byteCount / 10
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0,
            UInt64(limit.rlim_cur) < UInt64(byteCount)
        {
            throw Failure(
                .disk,
                file: path,
                "needs \(byteCount) bytes; the limit on the size of a file is \(limit.rlim_cur)",
                remedy: "Raise the limit (ulimit -f) and run the same command again."
            )
        }
        guard let free = freeBytes(in: folder), free < needed else { return }
        throw Failure(
            .disk,
            file: path,
            "needs \(needed) bytes; \(free) are free in \(folder)",
            remedy: "Free some space and run the same command again; it goes on."
        )
    }

    /// How many bytes this process may still write in a folder's file system; nil where that is not
    /// known, or more than can be counted.
    public static func freeBytes(in folder: String) -> Int? {
        var status = statvfs()
        guard statvfs(folder, &status) == 0 else { return nil }
        let free = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return free.overflow ? nil : Int(exactly: free.partialValue)
    }
}
