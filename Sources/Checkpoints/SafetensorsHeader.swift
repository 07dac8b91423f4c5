import Basics
import Kernels

/// Everything a safetensors file says before its numbers.
///
/// Layout: eight bytes with the length N of the header, little-endian; N bytes of JSON; the data.
/// Source: huggingface/safetensors, README "Format" and safetensors/src/tensor.rs.
struct SafetensorsHeader {
    /// The longest header accepted, as in the reference implementation.
    static let longest = 100_000_000

    /// One tensor, its range counted from the beginning of the file.
    struct Tensor {
        var info: TensorInfo
        var range: Range<Int>
    }

    private(set) var tensors: [Tensor] = []
    private(set) var metadata: [String: String] = [:]

    /// Reads and checks the header of a mapped file.
    ///
    /// - Throws: `Failure.badData` with the place, what was found and what was expected.
    init(_ file: MappedFile) throws {
        var reader = ByteReader(file, place: "header")
        let length = try reader.integer(UInt64.self, "the header's length")
        guard length <= UInt64(SafetensorsHeader.longest) else {
            throw reader.failure(
                "a header of \(length) bytes; expected at most \(SafetensorsHeader.longest)"
            )
        }
        let text = try reader.bytes(length, "the header")
        guard text.first == UInt8(ascii: "{") else {
            throw reader.failure("the header does not begin with '{'")
        }
        do {
            let json = try JSON(parsing: text)
            for (name, value) in json.object?.members ?? [] {
                if name == "__metadata__" {
                    metadata = try SafetensorsHeader.metadata(value)
                } else {
                    tensors.append(
                        try SafetensorsHeader.tensor(name, value, dataStart: reader.position)
                    )
                }
            }
            try checkPlaces(dataStart: reader.position, fileEnd: file.bytes.count)
        } catch let failure as Failure { throw failure.inFile(file.path) }
    }

    private static func metadata(_ value: JSON) throws -> [String: String] {
        guard let object = value.object, object.members.allSatisfy({ $0.value.string != nil })
        else {
            throw Failure(.badData, at: "'__metadata__'", "expected an object of strings")
        }
        return Dictionary(
            object.members.map { ($0.key, $0.value.string ?? "") },
            uniquingKeysWith: { first, _ in first }
        )
    }

    private static func tensor(_ name: String, _ value: JSON, dataStart: Int) throws -> Tensor {
        func failure(_ message: String) -> Failure {
            Failure(.badData, at: "tensor '\(name.prefix(200))'", message)
        }
        guard let object = value.object, object.members.count == 3,
            let type = object["dtype"]?.string, let shape = sizes(object["shape"]),
            let offsets = sizes(object["data_offsets"]), offsets.count == 2
        else {
            throw failure("expected an object with dtype, shape and data_offsets (two integers)")
        }
        guard let format = formats[type] else {
            throw failure("stored as '\(type.prefix(40))'; expected F32, F16 or BF16")
        }
        guard let byteCount = Shape.byteCount(shape, bytesPerValue: format.bytesPerBlock) else {
            throw failure("shape \(shape) is larger than any file")
        }
        guard offsets[0] <= offsets[1], offsets[1] - offsets[0] == byteCount else {
            throw failure(
                "data_offsets \(offsets) do not hold shape \(shape) of \(type), \(byteCount) bytes"
            )
        }
        let (end, overflow) = dataStart.addingReportingOverflow(offsets[1])
        guard !overflow else { throw failure("data_offsets \(offsets) lie past any file") }
        return Tensor(
            info: TensorInfo(name: name, shape: shape, format: format),
            range: end - byteCount..<end
        )
    }

    private static let formats: [String: BlockFormat] = ["F32": .f32, "F16": .f16, "BF16": .bf16]

    /// Whole numbers from 0, written as such.
    private static func sizes(_ value: JSON?) -> [Int]? {
        guard let items = value?.array else { return nil }
        let sizes = items.compactMap { item -> Int? in
            if case .integer(let size) = item, size >= 0 { size } else { nil }
        }
        return sizes.count == items.count ? sizes : nil
    }

    /// Sorted by place, tensors must fill the data section: no hole, no overlap, nothing after.
    private mutating func checkPlaces(dataStart: Int, fileEnd: Int) throws {
        tensors.sort {
            ($0.range.lowerBound, $0.range.upperBound) < ($1.range.lowerBound, $1.range.upperBound)
        }
        var end = dataStart
        for tensor in tensors {
            guard tensor.range.lowerBound == end else {
                let what = tensor.range.lowerBound < end ? "overlaps another" : "leaves a hole"
                throw Failure(
                    .badData,
                    at: "tensor '\(tensor.info.name)'",
                    "\(what): begins at \(tensor.range.lowerBound - dataStart) of the data, expected \(end - dataStart)"
                )
            }
            end = tensor.range.upperBound
        }
        guard end == fileEnd else {
            throw Failure(
                .badData,
                at: "data",
                "the tensors end at byte \(end); the file ends at \(fileEnd)",
                remedy: end > fileEnd ? "The file is cut short: fetch it again." : nil
            )
        }
    }
}

/// Arithmetic on shapes that come from a file.
enum Shape {
    /// Bytes of a tensor of this shape; nil when a product of its axes does not fit `Int`, even
    /// when another axis is 0.
    static func byteCount(_ shape: [Int], bytesPerValue: Int) -> Int? {
        var product = bytesPerValue
        for axis in shape {
            let (next, overflow) = product.multipliedReportingOverflow(by: max(axis, 1))
            guard !overflow, axis >= 0 else { return nil }
            product = next
        }
        return shape.contains(0) ? 0 : product
    }
}
