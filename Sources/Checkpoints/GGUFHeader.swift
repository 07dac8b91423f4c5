import Basics
import Foundation
import Kernels

/// Everything a GGUF file says before its numbers.
///
/// Nothing is allocated by a length from the file before that length has been compared with the
/// bytes that remain, and no product of such lengths can wrap.
/// Source: ggml, docs/gguf.md; the checks of ggml, src/gguf.cpp.
struct GGUFHeader {
    /// One entry of the tensor table.
    struct Tensor {
        var name: String
        /// As in the file: the axis that varies fastest comes first.
        var dimensions: [Int]
        var format: BlockFormat
        /// Where its bytes are in the file.
        var range: Range<Int>
    }

    let version: UInt32
    let metadata: [String: GGUFValue]
    let tensors: [Tensor]

    /// Reads and checks the header of a mapped file.
    ///
    /// - Throws: `Failure.badData` with the place, what was found and what was expected.
    init(_ file: MappedFile) throws {
        var reader = ByteReader(file, place: "header")
        let magic = try reader.bytes(4, "the magic number")
        guard magic.elementsEqual("GGUF".utf8) else {
            let hex = magic.map { String($0, radix: 16) }.joined(separator: " ")
            throw reader.failure("the file begins with bytes \(hex); expected 'GGUF'")
        }
        version = try reader.integer(UInt32.self, "the version")
        guard (2...3).contains(version) else {
            let bigEndian = (2...3).contains(version.byteSwapped)
            let found = bigEndian ? "written for big-endian machines" : "version \(version)"
            throw reader.failure("the file is \(found); expected little-endian version 2 or 3")
        }
        let tensorCount = try reader.integer(UInt64.self, "the tensor count")
        let valueCount = try reader.integer(UInt64.self, "the metadata count")
        try GGUFHeader.check(tensorCount, "tensors", leastBytes: 24, reader)
        try GGUFHeader.check(valueCount, "metadata values", leastBytes: 13, reader)
        metadata = try GGUFHeader.metadata(count: valueCount, &reader)
        let alignment = try GGUFHeader.alignment(metadata, reader)
        var table = try GGUFHeader.table(count: tensorCount, &reader)
        try GGUFHeader.place(&table, alignment: alignment, reader)
        tensors = table
    }

    private static func check(
        _ count: UInt64,
        _ what: String,
        leastBytes: Int,
        _ reader: ByteReader
    ) throws {
        guard count <= UInt64(reader.remaining / leastBytes) else {
            throw reader.failure(
                "claims \(count) \(what); only \(reader.remaining) bytes remain in the file"
            )
        }
    }

    private static func metadata(
        count: UInt64,
        _ reader: inout ByteReader
    ) throws -> [String: GGUFValue] {
        var result: [String: GGUFValue] = [:]
        for index in 0..<count {
            reader.place = "metadata value \(index + 1) of \(count)"
            let bytes = try reader.ggufString("the key")
            guard (1...65535).contains(bytes.count),
                bytes.allSatisfy({ (0x20..<0x7F).contains($0) })
            else {
                throw reader.failure(
                    "a key of \(bytes.count) bytes; expected 1 to 65535 printable ASCII characters"
                )
            }
            let key = String(decoding: bytes, as: UTF8.self)
            reader.place = "metadata '\(key.prefix(80))'"
            let type = try reader.ggufType("the value")
            let value = try reader.ggufValue(type, "the value")
            guard result.updateValue(value, forKey: key) == nil else {
                throw reader.failure("the key occurs twice")
            }
        }
        return result
    }

    private static func alignment(
        _ metadata: [String: GGUFValue],
        _ reader: ByteReader
    ) throws -> Int {
        guard let value = metadata["general.alignment"] else { return 32 }
        guard case .unsigned(let alignment) = value, (8...(1 << 20)).contains(alignment),
            alignment.nonzeroBitCount == 1
        else {
            let found = value.integer.map(String.init) ?? value.kindName
            throw Failure(
                .badData,
                file: reader.file.path,
                at: "metadata 'general.alignment'",
                "found \(found); expected a power of two from 8 to 1048576"
            )
        }
        return Int(alignment)
    }

    /// The tensor table; each `range` is still relative to the data section.
    private static func table(count: UInt64, _ reader: inout ByteReader) throws -> [Tensor] {
        var result: [Tensor] = []
        var seen: Set<String> = []
        for index in 0..<count {
            reader.place = "tensor \(index + 1) of \(count)"
            let bytes = try reader.ggufString("the name")
            guard (1...64).contains(bytes.count),
                let name = String(validating: bytes, as: UTF8.self)
            else {
                throw reader.failure("a name of \(bytes.count) bytes; expected 1 to 64, in UTF-8")
            }
            reader.place = "tensor '\(name)'"
            guard seen.insert(name).inserted else { throw reader.failure("the name occurs twice") }
            let dimensions = try dimensions(&reader)
            let format = try GGUFHeader.format(&reader)
            guard (dimensions.first ?? 1).isMultiple(of: format.blockSize) else {
                throw reader.failure(
                    "rows of \(dimensions.first ?? 1) values; \(format.name) needs a multiple of \(format.blockSize)"
                )
            }
            let offset = try reader.integer(UInt64.self, "the offset")
            guard let size = byteCount(dimensions, format), let start = Int(exactly: offset),
                case let (end, overflow) = start.addingReportingOverflow(size), !overflow
            else {
                throw reader.failure(
                    "shape \(dimensions) at offset \(offset) is larger than any file"
                )
            }
            result.append(
                Tensor(name: name, dimensions: dimensions, format: format, range: start..<end)
            )
        }
        return result
    }

    private static func dimensions(_ reader: inout ByteReader) throws -> [Int] {
        let count = try reader.integer(UInt32.self, "the number of axes")
        guard count <= 4 else { throw reader.failure("\(count) axes; expected at most 4") }
        var result: [Int] = []
        for _ in 0..<count {
            let size = try reader.integer(UInt64.self, "an axis")
            guard size > 0, let size = Int(exactly: size) else {
                throw reader.failure(
                    "an axis of \(size) values; expected 1 or more, and no more than fit a file"
                )
            }
            result.append(size)
        }
        return result
    }

    private static func format(_ reader: inout ByteReader) throws -> BlockFormat {
        let code = try reader.integer(UInt32.self, "the type")
        if let format = BlockFormat(ggmlType: code) { return format }
        let known = BlockFormat.ggmlTypes.map(\.format.name).joined(separator: ", ")
        throw reader.failure(
            "stored as \(BlockFormat.ggmlName(code)), which is not supported; expected one of \(known)"
        )
    }

    /// Bytes of a tensor; nil when the product does not fit.
    private static func byteCount(_ dimensions: [Int], _ format: BlockFormat) -> Int? {
        var blocks = (dimensions.first ?? 1) / format.blockSize
        for factor in dimensions.dropFirst() + [format.bytesPerBlock] {
            let (product, overflow) = blocks.multipliedReportingOverflow(by: factor)
            guard !overflow else { return nil }
            blocks = product
        }
        return blocks
    }

    /// Checks that tensors follow each other, each padded to the alignment, up to the file's end,
    /// and makes their ranges absolute.
    private static func place(
        _ tensors: inout [Tensor],
        alignment: Int,
        _ reader: ByteReader
    ) throws {
        func padded(_ value: Int) -> Int? {
            let (sum, overflow) = value.addingReportingOverflow(alignment - 1)
            return overflow ? nil : sum & ~(alignment - 1)
        }
        let fileSize = reader.file.bytes.count
        guard let base = padded(reader.position) else { return }
        var expected = 0
        for index in tensors.indices {
            var reader = reader
            let tensor = tensors[index]
            reader.place = "tensor '\(tensor.name)'"
            guard tensor.range.lowerBound == expected else {
                throw reader.failure("offset \(tensor.range.lowerBound); expected \(expected)")
            }
            guard let next = padded(tensor.range.upperBound), base <= fileSize,
                tensor.range.upperBound <= fileSize - base
            else {
                throw reader.failure(
                    "takes \(tensor.range.count) bytes at \(base) + \(expected); the file ends at \(fileSize)"
                )
            }
            tensors[index].range =
                base + tensor.range.lowerBound..<base + tensor.range.upperBound
            expected = next
        }
    }
}

extension BlockFormat {
    /// Codes of the tensor types read here.
    ///
    /// Source: ggml, include/ggml.h, `enum ggml_type`.
    static let ggmlTypes: [(code: UInt32, format: BlockFormat)] = [
        (0, .f32), (1, .f16), (30, .bf16), (8, .q8_0), (2, .q4_0), (3, .q4_1), (6, .q5_0),
        (7, .q5_1), (12, .q4_K), (13, .q5_K), (14, .q6_K),
    ]

    /// The format of a ggml tensor type; nil when it is not read here.
    init?(ggmlType code: UInt32) {
        guard let found = BlockFormat.ggmlTypes.first(where: { $0.code == code }) else {
            return nil
        }
        self = found.format
    }

    /// The name of a ggml tensor type that is not read here.
    static func ggmlName(_ code: UInt32) -> String {
        let names: [UInt32: String] = [
            9: "Q8_1", 10: "Q2_K", 11: "Q3_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS",
            18: "IQ3_XXS", 19: "IQ1_S", 20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS",
            24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64", 29: "IQ1_M", 34: "TQ1_0",
            35: "TQ2_0", 39: "MXFP4",
        ]
        return names[code] ?? "type \(code)"
    }
}
