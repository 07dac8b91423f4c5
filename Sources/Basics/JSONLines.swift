import Foundation

/// JSON Lines: one JSON value a line, read with line numbers and appended durably.
public enum JSONLines {
    /// The longest line that is read, in bytes: a parsed line takes several times its length.
    public static let longestLine = 1 << 24

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
        var records: [T] = []
        try scan(path) { line in
            do {
                let value: JSON
                do { value = try JSON(parsing: line.bytes) } catch var failure as Failure {
                    if !line.isEnded && tornTail == .drop { return }
                    if line.isEnded, failure.message.hasSuffix(JSON.endsTooEarly) {
                        failure.remedy = "Write each record on one line."
                    }
                    throw failure
                }
                records.append(try convert(value))
            } catch let failure as Failure {
                throw failure.at("line \(line.number)").inFile(path)
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
    ///   - batch: Lines handed on together, except for the last; fewer where they are long.
    ///   - body: Gets the lines with their numbers, from 1.
    /// - Throws: `Failure.missingInput`, `Failure.badData` for a line longer than `longestLine` and
    ///   for what is no text, and what `body` throws.
    public static func stream(
        _ path: String,
        batch: Int = 4096,
        _ body: ([(number: Int, bytes: [UInt8])]) throws -> Void
    ) throws {
        var lines: [(number: Int, bytes: [UInt8])] = []
        var size = 0
        try scan(path) { line in
            lines.append((line.number, line.bytes))
            size += line.bytes.count
            guard lines.count == batch || size > longestLine else { return }
            try body(lines)
            lines = []
            size = 0
        }
        if !lines.isEmpty { try body(lines) }
    }

    /// Hands on the lines of a file that are not blank, one by one.
    private static func scan(_ path: String, _ body: (LineReader.Line) throws -> Void) throws {
        let reader = try LineReader(path)
        if let failure = FileSignature.failure(try reader.head(), expected: "JSON Lines, in UTF-8")
        {
            throw failure.inFile(path)
        }
        var isFirst = true
        while let line = try reader.next() {
            guard let start = line.firstMark else { continue }
            if isFirst, start == UInt8(ascii: "[") {
                throw array.at("line \(line.number)").inFile(path)
            }
            isFirst = false
            try body(line)
        }
    }

    private static let array = Failure(
        .badData,
        "begins with a JSON array; expected JSON Lines, one object a line",
        remedy: "Write one element a line: jq -c '.[]' FILE > NEW."
    )

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

extension JSON {
    /// How the parser says that a text stops in the middle.
    static let endsTooEarly = "the text ends too early"
}
