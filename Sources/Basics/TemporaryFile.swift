import Foundation

/// A file or folder that stands beside its final place while it is written.
///
/// Its name is drawn by chance and made exclusively, so no two writers share one, on whatever
/// machine. While its writer lives it is locked (`flock`), which every process of this machine
/// sees, in whatever container: `sweep` removes what is not. The name also says on which machine
/// and since which of its restarts: what a living writer elsewhere may still need is left alone.
public final class TemporaryFile {
    /// Where it is: `TARGET.tmp.BOOT-NAMESPACE-PROCESS-RANDOM`.
    public let path: String
    private let descriptor: Int32

    /// Makes an empty file, or folder, beside `target`.
    ///
    /// - Throws: `Failure.disk`.
    public init(for target: String, isFolder: Bool = false) throws {
        let prefix = "\(target).tmp.\(Mark.own)-"
        for _ in 0..<100 {
            let path = prefix + String(UInt64.random(in: 0 ... .max), radix: 16)
            if isFolder, mkdir(path, 0o755) != 0 {
                if errno == EEXIST { continue }
                throw OutputFile.failure("cannot be created", path)
            }
            let descriptor =
                isFolder
                ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
                : open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
            guard descriptor >= 0 else {
                if errno == EEXIST || errno == ENOENT { continue }
                throw OutputFile.failure("cannot be created", path)
            }
            // Somebody who sweeps may have met it before it was locked; then it is gone.
            let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK
            if isLocked, Self.isNamed(path, descriptor) {
                self.path = path
                self.descriptor = descriptor
                return
            }
            close(descriptor)
        }
        throw Failure(.disk, file: target, "no temporary file can be made beside it")
    }

    deinit { close(descriptor) }

    /// Removes temporary files and folders whose writers have ended for certain, for the final
    /// names that match.
    public static func sweep(_ folder: String, _ matches: (String) -> Bool) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names {
            guard let range = name.range(of: ".tmp.", options: .backwards),
                let mark = Mark(String(name[range.upperBound...])),
                matches(String(name[..<range.lowerBound]))
            else { continue }
            let path = "\(folder)/\(name)"
            let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if mark.isAbandoned(descriptor), isNamed(path, descriptor) {
                try? FileManager.default.removeItem(atPath: path)
            }
            close(descriptor)
        }
    }

    private static func isNamed(_ path: String, _ descriptor: Int32) -> Bool {
        var (own, named) = (stat(), stat())
        return fstat(descriptor, &own) == 0 && lstat(path, &named) == 0
            && own.st_ino == named.st_ino && own.st_dev == named.st_dev
    }

    /// What a temporary name says of its writer.
    private struct Mark: CustomStringConvertible {
        var boot: String
        var writer: ProcessIdentity

        static var own: Mark {
            let own = ProcessIdentity.current
            return Mark(boot: String(own.boot.prefix(8)), writer: own)
        }

        init(boot: String, writer: ProcessIdentity) {
            self.boot = boot
            self.writer = writer
        }

        init?(_ text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 4, let process = Int32(parts[2]) else { return nil }
            boot = String(parts[0])
            writer = .current
            writer.namespace = String(parts[1])
            writer.process = process
        }

        var description: String { "\(boot)-\(writer.namespace)-\(writer.process)" }

        /// Whether the file behind a descriptor has no writer any more.
        func isAbandoned(_ descriptor: Int32) -> Bool {
            // Locks are seen by all processes of one running kernel, and by no others for certain.
            guard !boot.isEmpty, writer.boot.hasPrefix(boot) else { return false }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
            return errno != EWOULDBLOCK && writer.isCertainlyDead
        }
    }
}
