/// Comma-separated values (RFC 4180): quoted fields may hold commas, quotes and line breaks.
public struct CSV: Sendable {
    /// The names of the columns: the first row.
    public let columns: [String]
    /// The other rows, each with the line of the file that it begins on.
    public let rows: [(line: Int, fields: [String])]

    /// The longest field that is read, in bytes.
    public static let longestField = 1 << 24

    /// Reads a file.
    ///
    /// A byte-order mark and CRLF endings are accepted; blank lines are skipped.
    ///
    /// - Throws: `Failure.missingInput` without a file, `Failure.badData` naming the line of a row
    ///   with another number of fields than the first, of a quote that never ends, of a field longer
    ///   than `longestField`, or of bytes that are no UTF-8 text.
    public static func read(_ path: String) throws -> CSV {
        let data = try TextFile.read(path)
        do { return try CSV(parsing: Array(data)) } catch let failure as Failure {
            throw failure.inFile(path)
        }
    }

    /// Parses text.
    ///
    /// - Throws: `Failure.badData` as `read`.
    public init(parsing bytes: [UInt8]) throws {
        if let failure = FileSignature.failure(bytes[...], expected: "CSV, in UTF-8") {
            throw failure
        }
        var scanner = Scanner(bytes: bytes)
        scanner.index = TextFile.markLength(bytes)
        guard let header = try scanner.row() else {
            throw Failure(.badData, at: "line 1", "is empty; expected the names of columns")
        }
        columns = header.fields
        var rows: [(line: Int, fields: [String])] = []
        while let row = try scanner.row() {
            guard row.fields.count == columns.count else {
                throw Failure(
                    .badData,
                    at: "line \(row.line)",
                    "has \(row.fields.count) fields; expected \(columns.count)"
                )
            }
            rows.append(row)
        }
        self.rows = rows
    }

    private struct Scanner {
        let bytes: [UInt8]
        var index = 0
        var line = 1

        init(bytes: [UInt8]) { self.bytes = bytes }

        /// The next row that is not blank.
        mutating func row() throws -> (line: Int, fields: [String])? {
            while index < bytes.count {
                let start = line
                var fields: [String] = []
                repeat { fields.append(try field()) } while take(UInt8(ascii: ","))
                _ = take(0x0D)
                if take(0x0A) { line += 1 }
                if fields != [""] { return (start, fields) }
            }
            return nil
        }

        private mutating func take(_ byte: UInt8) -> Bool {
            guard index < bytes.count, bytes[index] == byte else { return false }
            index += 1
            return true
        }

        private mutating func field() throws -> String {
            var content: [UInt8] = []
            let start = line
            func add(_ byte: UInt8) throws {
                guard byte != 0 else {
                    throw Failure(.badData, at: "line \(line)", "holds a NUL byte; expected text")
                }
                guard content.count < CSV.longestField else {
                    throw Failure(
                        .badData,
                        at: "line \(start)",
                        "a field is longer than \(CSV.longestField) bytes; is a quote left open?"
                    )
                }
                content.append(byte)
            }
            if take(UInt8(ascii: "\"")) {
                while true {
                    guard index < bytes.count else {
                        throw Failure(.badData, at: "line \(start)", "a quote never ends")
                    }
                    let byte = bytes[index]
                    index += 1
                    if byte == UInt8(ascii: "\"") && !take(UInt8(ascii: "\"")) { break }
                    if byte == 0x0A { line += 1 }
                    try add(byte)
                }
            }
            // Outside quotes a field ends at a comma or a line end.
            while index < bytes.count {
                let byte = bytes[index]
                if byte == UInt8(ascii: ",") || byte == 0x0A || byte == 0x0D { break }
                try add(byte)
                index += 1
            }
            guard let text = String(validating: content, as: UTF8.self) else {
                throw Failure(.badData, at: "line \(start)", "is not UTF-8 text")
            }
            return text
        }
    }
}
