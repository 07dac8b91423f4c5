import Foundation

/// A folder of a test's own, empty at first and removed with the object.
public final class TemporaryFolder: Sendable {
    /// Where it is.
    public let path: String

    /// Makes a folder.
    ///
    /// - Throws: Foundation's error when that fails.
    public init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "rsd-\(UUID().uuidString)")
            .path(percentEncoded: false)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in it.
    public func file(_ name: String) -> String { "\(path)/\(name)" }
}
