import Foundation

/// Reads a file line by line, holding little more than one line, of `JSONLines.longestLine` bytes at
/// most.
public final class LineReader {
    /// A line.
    public struct Line {
        /// Its number, from 1.
        public var number: Int
        /// Where it begins, in bytes from the beginning of the file.
        public var offset: Int
        /// Its bytes, without the line break.
        public var bytes: [UInt8]
        /// Whether a line break follows: an interrupted append leaves a last line without.
        public var isEnded: Bool

        /// The first byte that is no space; nil where there is none.
        var firstMark: UInt8? { bytes.first { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 } }

        /// Whether it holds nothing but spaces.
        public var isBlank: Bool { firstMark == nil }
    }

    private let path: String
    private let file: FileHandle
    private var buffer: [UInt8] = []
    /// Where in the buffer the next line begins, and how far it has been searched for its end.
    private var start = 0
    private var searched = 0
    private var offset = 0
    private var number = 0

    /// Opens a file, or reads on in one that is open.
    ///
    /// - Throws: `Failure.missingInput`.
    public init(_ path: String, file: FileHandle? = nil) throws {
        self.path = path
        self.file = try file ?? InputFile.open(path)
    }

    /// The next line; nil at the end.
    ///
    /// - Throws: `Failure.missingInput` when the file cannot be read on; `Failure.badData` for a line
    ///   that is too long.
    public func next() throws -> Line? {
        while true {
            let rest = buffer[searched...]
            if let end = rest.firstIndex(of: 0x0A) { return try take(upTo: end, isEnded: true) }
            searched = buffer.count
            try checkLength(buffer.count - start)
            if start > 0 {
                buffer.removeFirst(start)
                searched -= start
                start = 0
            }
            guard let block = try block(), !block.isEmpty else {
                return buffer.isEmpty ? nil : try take(upTo: buffer.count, isEnded: false)
            }
            buffer += block
        }
    }

    /// The first bytes of the file, looked at before the first line.
    func head() throws -> ArraySlice<UInt8> {
        if buffer.isEmpty, number == 0, let block = try block() { buffer += block }
        return buffer[...]
    }

    private func block() throws -> Data? {
        do { return try file.read(upToCount: 1 << 18) } catch {
            throw InputFile.failedRead(path)
        }
    }

    private func checkLength(_ count: Int) throws {
        guard count > JSONLines.longestLine else { return }
        throw Failure(
            .badData,
            file: path,
            at: "line \(number + 1)",
            "is longer than \(JSONLines.longestLine) bytes, the longest line that is read; expected "
                + "one record a line"
        )
    }

    private func take(upTo end: Int, isEnded: Bool) throws -> Line {
        try checkLength(end - start)
        number += 1
        // A byte-order mark is no part of the first line.
        let mark = number == 1 ? TextFile.markLength(buffer[start..<end]) : 0
        let line = Line(
            number: number,
            offset: offset + mark,
            bytes: Array(buffer[(start + mark)..<end]),
            isEnded: isEnded
        )
        offset += end - start + (isEnded ? 1 : 0)
        start = min(end + 1, buffer.count)
        searched = start
        if !isEnded { (buffer, start, searched) = ([], 0, 0) }
        return line
    }
}

extension JSONLines {
    /// A record with the place of its line.
    public struct Placed<Record> {
        /// The record.
        public var record: Record
        /// The number of its line, from 1.
        public var line: Int
        /// The bytes of its line in the file, without the line break.
        public var range: Range<Int>
    }

    /// Hands on every good record of a file, and gives back what is wrong with the other lines.
    ///
    /// A byte-order mark, CRLF endings and blank lines are accepted; a last line without a line
    /// break that does not parse is taken for an interrupted append and left out.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - file: The file, where it is open already.
    ///   - convert: Makes a record of a line; what it throws counts as damage of the line.
    ///   - body: Gets the records.
    /// - Returns: The damaged lines, each with its failure.
    /// - Throws: `Failure.missingInput`, and what `body` throws.
    public static func salvage<Record>(
        _ path: String,
        file: FileHandle? = nil,
        _ convert: (JSON) throws -> Record,
        _ body: (Placed<Record>) throws -> Void
    ) throws -> [(line: Int, failure: Failure)] {
        let reader = try LineReader(path, file: file)
        var damaged: [(line: Int, failure: Failure)] = []
        while let line = try reader.next() {
            if line.isBlank { continue }
            let record: Record
            do {
                let value: JSON
                do { value = try JSON(parsing: line.bytes) } catch {
                    if !line.isEnded { break }
                    throw error
                }
                record = try convert(value)
            } catch let failure as Failure {
                damaged.append((line.number, failure.at("line \(line.number)").inFile(path)))
                continue
            }
            let range = line.offset..<line.offset + line.bytes.count
            try body(Placed(record: record, line: line.number, range: range))
        }
        return damaged
    }

    /// The first of several damaged lines as the failure of the file, with how to keep the rest.
    ///
    /// - Parameters:
    ///   - damaged: What `salvage` gives back.
    ///   - path: The file.
    ///   - lost: What the remedy says of deleting the lines.
    /// - Returns: nil where nothing is damaged.
    public static func failure(
        _ damaged: [(line: Int, failure: Failure)],
        _ path: String,
        _ lost: String
    ) -> Failure? {
        guard var failure = damaged.first?.failure else { return nil }
        let lines = damaged.map(\.line)
        if lines.count > 1 {
            failure.message += "; \(lines.count) lines are damaged: \(list(lines))"
        }
        let quoted = path.replacing("'", with: "'\\''")
        let commands = lines.prefix(100).map { "\($0)d" }.joined(separator: ";")
        failure.remedy = "Delete what is damaged: sed -i '\(commands)' '\(quoted)'\n\(lost)"
        return failure
    }

    /// Numbers in words: `3, 7 to 9 and 12`, at most ten of them.
    public static func list(_ numbers: [Int]) -> String {
        var parts: [ClosedRange<Int>] = []
        for number in numbers.sorted() {
            if let last = parts.last, number <= last.upperBound + 1 {
                parts[parts.count - 1] = last.lowerBound...max(last.upperBound, number)
            } else {
                parts.append(number...number)
            }
        }
        return list(parts)
    }

    /// Ranges of numbers in words, likewise.
    public static func list(_ parts: [ClosedRange<Int>]) -> String {
        var words = parts.prefix(10).map {
            $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound) to \($0.upperBound)"
        }
        if parts.count > 10 { return words.joined(separator: ", ") + " and more" }
        guard let last = words.popLast() else { return "none" }
        return words.isEmpty ? last : words.joined(separator: ", ") + " and " + last
    }
}
