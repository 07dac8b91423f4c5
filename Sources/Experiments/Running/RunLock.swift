import Basics
import Foundation

/// Keeps a second process out of a folder that this one writes to.
///
/// Held with `flock`, so that the lock of a process that died is free at once. Where the file system
/// has no `flock`, a file beside it (`lock.held`) made exclusively is the lock; it is taken over
/// only from a process that has ended for certain: one of this machine, this run of it, and this
/// namespace of process numbers.
public final class RunLock {
    private let path: String
    private var descriptor: Int32
    private var isExistence = false

    /// Takes the lock, waiting for it for so many seconds.
    ///
    /// - Throws: As `init(_:)`.
    public static func waiting(_ seconds: Double, for path: String) throws -> RunLock {
        let end = ContinuousClock.now + .seconds(seconds)
        while true {
            do { return try RunLock(path) } catch let failure as Failure
                where failure.kind == .busy && ContinuousClock.now < end
            {
                usleep(100_000)
            }
        }
    }

    /// Takes the lock, or fails at once.
    ///
    /// - Throws: `Failure.busy` naming the process that holds it; `Failure.disk` when the file
    ///   cannot be made.
    public convenience init(_ path: String) throws {
        try self.init(path) { flock($0, LOCK_EX | LOCK_NB) == 0 ? 0 : errno }
    }

    /// Takes the lock with another `flock`, which gives 0 or an error number.
    init(_ path: String, flock: (Int32) -> Int32) throws {
        self.path = path
        try TextFile.createFolder(
            URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
        )
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
        do {
            switch flock(descriptor) {
            case 0: break
            case EWOULDBLOCK: throw Self.busy(path, Self.owner(path))
            default:
                try takeExistence()
                isExistence = true
            }
        } catch {
            close(descriptor)
            descriptor = -1
            throw error
        }
        let text = ProcessIdentity.current.text
        _ = ftruncate(descriptor, 0)
        _ = text.withCString { pwrite(descriptor, $0, strlen($0), 0) }
    }

    deinit { release() }

    /// Gives the lock back; a second call does nothing.
    public func release() {
        guard descriptor >= 0 else { return }
        // The file stays: removing it would let two processes lock two files of one name.
        _ = ftruncate(descriptor, 0)
        if isExistence { unlink(held) } else { flock(descriptor, LOCK_UN) }
        close(descriptor)
        descriptor = -1
    }

    private var held: String { path + ".held" }

    /// Makes `lock.held`, after that of a process that has ended for certain was taken away.
    private func takeExistence() throws {
        for _ in 0..<10 {
            let file = open(held, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            if file >= 0 {
                let text = ProcessIdentity.current.text
                _ = text.withCString { write(file, $0, strlen($0)) }
                close(file)
                return
            }
            guard errno == EEXIST else { throw Self.failure(held, errno) }
            let owner = Self.owner(held)
            guard owner?.isCertainlyDead == true else { throw existing(owner) }
            // Of several that find it dead, only one moves it; and what it has moved by mistake,
            // made since by another one, goes back.
            let aside = "\(held).\(UInt64.random(in: 0 ... .max))"
            guard rename(held, aside) == 0 else { continue }
            let moved = Self.owner(aside)
            if moved?.isCertainlyDead != true { link(aside, held) }
            unlink(aside)
            if moved?.isCertainlyDead != true { throw existing(moved) }
        }
        throw existing(nil)
    }

    private func existing(_ owner: ProcessIdentity?) -> Failure {
        var failure = Self.busy(held, owner)
        failure.remedy =
            "Wait for it to end; if it has ended already, remove this file. "
            + "Then run the same command again."
        return failure
    }

    private static func busy(_ path: String, _ owner: ProcessIdentity?) -> Failure {
        Failure(
            .busy,
            file: path,
            "\(owner?.name ?? "another process") is working here",
            remedy: "Wait for it to end, then run the same command again."
        )
    }

    private static func failure(_ path: String, _ code: Int32) -> Failure {
        Failure(
            .disk,
            file: path,
            "the lock cannot be made: \(String(cString: strerror(code)))",
            remedy: code == ELOOP
                ? "It is a symbolic link: remove it and run the same command again."
                : "Check the permissions of the folder."
        )
    }

    /// The process that a lock's file names, whether or not it is still there; nil where none has it.
    public static func owner(_ path: String) -> ProcessIdentity? {
        (try? TextFile.read(path)).flatMap {
            ProcessIdentity(text: String(decoding: $0, as: UTF8.self))
        }
    }
}
