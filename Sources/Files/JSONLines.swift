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
        let file = try InputFile.open(path)
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
                throw InputFile.failedRead(path)
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
            file = try OutputFile(appendingTo: path)
            try file.cutTornLine()
        }

        /// Appends one line.
        ///
        /// - Throws: `Failure.disk`, also when the file was removed since it was opened.
        public func append(_ record: JSON) throws {
            try file.checkIsInPlace()
            try file.write(Data((record.compact + "\n").utf8))
        }

        /// Refuses to go on where the file was removed or replaced since it was opened.
        ///
        /// - Throws: `Failure.disk`.
        public func checkIsInPlace() throws { try file.checkIsInPlace() }
    }

    /// Replaces a file by the given records in one step, one at a time in memory.
    ///
    /// - Throws: `Failure.disk`, and what making a record throws.
    public static func write(_ records: some Sequence<JSON>, to path: String) throws {
        try write(to: path) { add in for record in records { try add(record) } }
    }

    /// Replaces a file in one step by the records that `body` hands on.
    ///
    /// - Throws: `Failure.disk`, and what `body` throws; the old file is then untouched.
    public static func write(
        to path: String,
        _ body: (_ add: (JSON) throws -> Void) throws -> Void
    ) throws {
        try AtomicFile.replace(path, byteCount: 0) { temporary in
            let file = try OutputFile(creating: temporary)
            var block = Data()
            try body { record in
                block.append(contentsOf: record.compact.utf8)
                block.append(0x0A)
                guard block.count > 1 << 18 else { return }
                try file.write(block)
                block.removeAll(keepingCapacity: true)
            }
            try file.write(block)
            try file.synchronizeAndClose()
        }
    }
}
