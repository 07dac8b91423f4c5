import Basics
import Foundation
import Kernels

/// A GGUF model, presented as Hugging Face publishes it: names, shapes and order of rows.
///
/// Files of some families keep the rows of the query and key projections in the order in which
/// adjacent pairs are rotated; they are put back into the published half-split order, whole rows of
/// stored bytes at a time, so no number changes.
public final class GGUFFile: TensorSource {
    /// Where the file is.
    public let path: String
    /// Every metadata value by its key.
    public let metadata: [String: GGUFValue]
    /// Every tensor by its published name.
    public let tensors: [String: TensorInfo]
    /// The family that `general.architecture` names.
    public let family: ModelFamily
    /// What each rotation frequency is divided by, `[headDimension / 2]`, where the file says so.
    public let ropeFactors: [Float]?

    private let places: [String: (file: MappedFile, range: Range<Int>)]

    /// Factors by which each rotation frequency is divided; no weight, and in no published file.
    static let ropeFactorsName = "rope_freqs.weight"

    /// What the keys of its sizes begin with.
    var architecture: String { family.name }

    /// Maps a file, and the other parts of a model that is split, and checks all of their headers.
    ///
    /// - Parameters:
    ///   - path: The file, or the first part.
    ///   - families: Those that it may be of.
    /// - Throws: `Failure.missingInput` without the files, `Failure.badData` with place, found and
    ///   expected when any part of them is not as the format and the architecture ask.
    public init(_ path: String, families: [ModelFamily]) throws {
        self.path = path
        let parts = try GGUFParts(path).parts
        metadata = parts[0].header.metadata
        let named = metadata["general.architecture"]
        family = try ModelFamily.named(
            named?.text,
            found: named?.kindName,
            among: families,
            in: parts[0].file.path,
            at: "metadata 'general.architecture'"
        )
        var tensors: [String: TensorInfo] = [:]
        var places: [String: (file: MappedFile, range: Range<Int>)] = [:]
        var ropeFactors: [Float]?
        for (file, header) in parts {
            for tensor in header.tensors {
                if tensor.name == GGUFFile.ropeFactorsName, tensor.format == .f32 {
                    ropeFactors = tensor.range.count <= 1 << 20 ? file.floats(tensor.range) : nil
                    continue
                }
                let name = family.names.published(gguf: tensor.name) ?? tensor.name
                let shape = Array(tensor.dimensions.reversed())
                let info = TensorInfo(name: name, shape: shape, format: tensor.format)
                guard tensors.updateValue(info, forKey: name) == nil else {
                    throw Failure(
                        .badData,
                        file: file.path,
                        at: "tensor '\(name)'",
                        "the name occurs twice"
                    )
                }
                places[name] = (file, tensor.range)
            }
        }
        self.tensors = tensors
        self.places = places
        self.ropeFactors = ropeFactors
    }

    /// A tensor as stored, rows in the published order.
    public func matrix(_ name: String) throws -> StoredMatrix {
        let info = try info(name)
        guard let (file, range) = places[name] else {
            preconditionFailure("GGUFFile: no place of \(name)")
        }
        let bytes = UnsafeRawBufferPointer(rebasing: file.bytes[range])
        guard let heads = try permutedHeads(name) else {
            return StoredMatrix(
                format: info.format,
                rows: info.rows,
                columns: info.columns,
                bytes: bytes,
                owner: file,
                isMapped: true
            )
        }
        let owned = try halfSplit(bytes, info: info, heads: heads)
        return StoredMatrix(
            format: info.format,
            rows: info.rows,
            columns: info.columns,
            bytes: UnsafeRawBufferPointer(rebasing: owned.bytes.prefix(bytes.count)),
            owner: owned
        )
    }

    /// How many heads share the rows of a tensor whose rows are permuted; nil for all others.
    private func permutedHeads(_ name: String) throws -> Int? {
        guard family.rotatesAdjacentRowsInGGUF else { return nil }
        if name.contains(".\(family.names.query.published).") {
            return try positive("attention.head_count")
        }
        guard name.contains(".\(family.names.key.published).") else { return nil }
        return metadata["\(architecture).attention.head_count_kv"] == nil
            ? try positive("attention.head_count") : try positive("attention.head_count_kv")
    }

    /// Row `h·D + 2i + a` of the file is the published row `h·D + a·D/2 + i`.
    private func halfSplit(
        _ bytes: UnsafeRawBufferPointer,
        info: TensorInfo,
        heads: Int
    ) throws -> OwnedBytes {
        // A bias is a column: each of its values goes with the row of the same index.
        let rows = info.shape.count == 1 ? info.columns : info.rows
        guard rows.isMultiple(of: 2 * heads), info.shape.count > 1 || info.format.blockSize == 1
        else {
            throw Failure(
                .badData,
                file: path,
                at: "tensor '\(info.name)'",
                "shape \(info.shape) in \(info.format.name); expected an even number of rows for each of \(heads) heads"
            )
        }
        let half = rows / heads / 2
        let rowBytes = rows == 0 ? 0 : bytes.count / rows
        let owned = OwnedBytes(count: bytes.count)
        for row in 0..<rows {
            let (head, inHead) = row.quotientAndRemainder(dividingBy: 2 * half)
            let (upper, pair) = inHead.quotientAndRemainder(dividingBy: half)
            let source = (head * 2 * half + 2 * pair + upper) * rowBytes
            UnsafeMutableRawBufferPointer(rebasing: owned.bytes[(row * rowBytes)...])
                .copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[source..<source + rowBytes])
                )
        }
        return owned
    }
}

extension GGUFFile {
    /// A metadata value converted; nil when absent.
    ///
    /// - Throws: `Failure.badData` when it is there and is something else.
    func optional<T>(
        _ key: String,
        _ expected: String,
        _ convert: (GGUFValue) -> T?
    ) throws -> T? {
        guard let value = metadata[key] else { return nil }
        guard let converted = convert(value) else {
            throw Failure(
                .badData,
                file: path,
                at: "metadata '\(key)'",
                "found \(value.kindName); expected \(expected)"
            )
        }
        return converted
    }

    /// A required size among the architecture's own keys, `architecture.key`.
    func positive(_ key: String) throws -> Int {
        let key = "\(architecture).\(key)"
        let value = try optional(key, "a whole number", \.integer)
        guard let value, (1...(1 << 31)).contains(value) else {
            throw Failure(
                .badData,
                file: path,
                at: "metadata '\(key)'",
                "found \(value.map(String.init) ?? "nothing"); expected a whole number from 1"
            )
        }
        return value
    }
}

extension MappedFile {
    /// Float32 values at a place in the file.
    func floats(_ range: Range<Int>) -> [Float] {
        stride(from: range.lowerBound, to: range.upperBound, by: 4)
            .map { bytes.loadUnaligned(fromByteOffset: $0, as: Float.self) }
    }
}
