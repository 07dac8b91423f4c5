import Foundation

/// Whole-file reads and crash-safe writes.
public enum TextFile {
    /// The bytes of a file.
    ///
    /// - Throws: `Failure.missingInput` when there is no readable regular file.
    public static func read(_ path: String) throws -> Data { try InputFile.read(path) }

    /// How many bytes a byte-order mark takes at the start of a text: it is no part of the text.
    public static func markLength(_ bytes: some Collection<UInt8>) -> Int {
        bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// Why a file that begins like this is no text that we read, such as UTF-16 or an archive; nil
    /// where it may be.
    public static func foreignFormat(_ data: Data, expected: String) -> Failure? {
        FileSignature.failure(Array(data.prefix(64))[...], expected: expected)
    }

    /// Parses a JSON file.
    ///
    /// - Throws: `Failure` naming the file, and the byte where it is not JSON.
    public static func readJSON(_ path: String) throws -> JSON {
        let data = try read(path)
        do { return try JSON(parsing: data) } catch let failure as Failure {
            throw failure.inFile(path)
        }
    }

    /// Replaces a file's content in one step: written beside, flushed to the device, renamed.
    ///
    /// A reader, or a crash at any moment, sees the old content or the new one.
    /// - Throws: `Failure.disk`; the old file is then untouched.
    public static func write(_ data: Data, to path: String) throws {
        try AtomicFile.replace(path, byteCount: data.count) { temporary in
            let file = try OutputFile(creating: temporary)
            try file.write(data)
            try file.synchronizeAndClose()
        }
    }

    /// Replaces a file's text in one step.
    public static func write(_ text: String, to path: String) throws {
        try write(Data(text.utf8), to: path)
    }

    /// Creates a folder and those above it where missing.
    ///
    /// - Throws: `Failure.disk`.
    public static func createFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true
            )
        } catch {
            throw Failure(
                .disk,
                file: path,
                "the folder cannot be created",
                remedy: "Check permissions, and that no file has this name."
            )
        }
    }
}
