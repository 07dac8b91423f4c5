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
