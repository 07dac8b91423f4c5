import Foundation

/// JSON Lines: one JSON value a line, read with line numbers and appended durably.
public enum JSONLines {
    /// Reads every line of a file.
    ///
    /// A byte-order mark, CRLF endings and blank lines are accepted. With `tornTail: .drop` a last
    /// line without newline that does not parse is taken for an interrupted append and left out.
    ///
    /// - Throws: `Failure` naming file, line and byte.
    public static func read<T>(
        _ path: String,
        tornTail: TornTail = .refuse,
        _ convert: (JSON) throws -> T
    ) throws -> [T] {
        let data = try TextFile.read(path)
        var records: [T] = []
        var number = 0
        var rest = data[...]
        if rest.starts(with: [0xEF, 0xBB, 0xBF]) { rest = rest.dropFirst(3) }
        while !rest.isEmpty {
            number += 1
            let newline = rest.firstIndex(of: 0x0A)
            let line = rest[..<(newline ?? rest.endIndex)]
            rest = newline.map { rest[($0 + 1)...] } ?? rest[rest.endIndex...]
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
            do {
                let value: JSON
                do { value = try JSON(parsing: line) } catch {
                    if newline == nil && tornTail == .drop { break }
                    throw error
                }
                records.append(try convert(value))
            } catch var failure as Failure {
                failure.place = ["line \(number)", failure.place].compactMap(\.self)
                    .joined(separator: ", ")
                throw failure.inFile(path)
            }
        }
        return records
    }

    /// Hands on a file's lines in batches, without ever holding all of them.
    ///
    /// Blank lines are left out; a byte-order mark and CRLF endings are accepted.
    ///
    /// - Parameters:
    ///   - path: A file, a pipe or a terminal.
    ///   - batch: Lines handed on together, except for the last.
    ///   - body: Gets the lines with their numbers, from 1.
    /// - Throws: `Failure.missingInput`, and what `body` throws.
    public static func stream(
        _ path: String,
        batch: Int = 4096,
        _ body: ([(number: Int, bytes: [UInt8])]) throws -> Void
    ) throws {
        var isFolder: ObjCBool = false
        _ = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        guard !isFolder.boolValue, let file = FileHandle(forReadingAtPath: path) else {
            throw Failure(.missingInput, file: path, "no such file, or not readable")
        }
        defer { try? file.close() }
        var lines: [(number: Int, bytes: [UInt8])] = []
        var rest: [UInt8] = []
        var number = 0
        func add(_ line: ArraySlice<UInt8>) {
            number += 1
            var line = line
            if number == 1, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { return }
            lines.append((number, Array(line)))
        }
        func next() throws -> Data? {
            do { return try file.read(upToCount: 1 << 20) } catch {
                throw Failure(
                    .missingInput,
                    file: path,
                    "cannot be read",
                    remedy: "Check the disk."
                )
            }
        }
        while let block = try next(), !block.isEmpty {
            var start = 0
            let scanned = rest.count
            rest += block
            for end in scanned..<rest.count where rest[end] == 0x0A {
                add(rest[start..<end])
                start = end + 1
                if lines.count == batch {
                    try body(lines)
                    lines = []
                }
            }
            rest.removeFirst(start)
        }
        if !rest.isEmpty { add(rest[...]) }
        if !lines.isEmpty { try body(lines) }
    }

    /// What to do with an unfinished last line.
    public enum TornTail: Sendable {
        /// An error, as anywhere else in the file.
        case refuse
        /// Left out: the process that wrote it was interrupted.
        case drop
    }

    /// Appends records to a file, each in one write, after cutting off a torn last line.
    public final class Appender {
        private let file: OutputFile

        /// Opens or creates the file.
        ///
        /// - Throws: `Failure.disk`.
        public init(_ path: String) throws {
            try TextFile.createFolder(
                URL(filePath: path).deletingLastPathComponent().path(percentEncoded: false)
            )
            if let data = FileManager.default.contents(atPath: path), let last = data.last,
                last != 0x0A
            {
                let keep = data.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
                try TextFile.write(data.prefix(upTo: keep), to: path)
            }
            file = try OutputFile(appendingTo: path)
        }

        /// Appends one line.
        ///
        /// - Throws: `Failure.disk`.
        public func append(_ record: JSON) throws {
            try file.write(Data((record.compact + "\n").utf8))
        }
    }

    /// Replaces a file by the given records in one step.
    ///
    /// - Throws: `Failure.disk`.
    public static func write(_ records: some Sequence<JSON>, to path: String) throws {
        try TextFile.write(records.map { $0.compact + "\n" }.joined(), to: path)
    }
}
