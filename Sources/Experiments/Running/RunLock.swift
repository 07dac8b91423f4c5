import Files
import Foundation

/// Keeps a second process out of a folder that this one writes to.
///
/// Held with `flock`, so that the lock of a process that died is free at once; where the file
/// system has no `flock`, the file's existence is the lock, and a dead owner's is taken over.
public final class RunLock {
    private let path: String
    private var descriptor: Int32
    private let isExistence: Bool

    /// Takes the lock, waiting for it for so many seconds.
    ///
    /// - Throws: As `init(_:)`.
    public static func waiting(_ seconds: Double, for path: String) throws -> RunLock {
        let end = ProcessInfo.processInfo.systemUptime + seconds
        while true {
            do { return try RunLock(path) } catch let failure as Failure
                where failure.kind == .interrupted
                && ProcessInfo.processInfo.systemUptime < end
            {
                Thread.sleep(forTimeInterval: 0.1)
            }
        }
    }

    /// Takes the lock, or fails at once.
    ///
    /// - Throws: `Failure.interrupted` naming the process that holds it; `Failure.disk` when the
    ///   file cannot be made.
    public init(_ path: String) throws {
        self.path = path
        try TextFile.createFolder(
            URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        )
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure(
                .disk,
                file: path,
                "the lock cannot be made: \(String(cString: strerror(errno)))"
            )
        }
        var isExistence = false
        if flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            let owner = Self.owner(path)
            // EWOULDBLOCK: another process has it. Anything else: no flock on this file system.
            isExistence = code != EWOULDBLOCK
            if !isExistence || owner.map(Self.isAlive) == true {
                close(descriptor)
                descriptor = -1
                throw Failure(
                    .interrupted,
                    file: path,
                    "process \(owner.map(String.init) ?? "unknown") is working here",
                    remedy: "Wait for it to end, then run the same command again."
                )
            }
        }
        self.isExistence = isExistence
        let text = "\(ProcessInfo.processInfo.processIdentifier)\n"
        _ = ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit { release() }

    /// Gives the lock back; a second call does nothing.
    public func release() {
        guard descriptor >= 0 else { return }
        // The file stays: removing it would let two processes lock two files of one name.
        _ = ftruncate(descriptor, 0)
        if !isExistence { flock(descriptor, LOCK_UN) }
        close(descriptor)
        descriptor = -1
    }

    private static func owner(_ path: String) -> Int32? {
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        return Int32(
            String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        )
    }

    private static func isAlive(_ process: Int32) -> Bool {
        process != ProcessInfo.processInfo.processIdentifier
            && (kill(process, 0) == 0 || errno == EPERM)
    }
}
