import Basics

/// Reads the table of contents of a checkpoint whose seal has been checked.
///
/// The HDF5 library is not asked: a seal does not say who made it, and the library is not made for
/// hostile files. What `HDF5Writer` makes is a small part of the format, read here from the mapped
/// file; everything else is refused: links other than hard ones, external and virtual storage,
/// filters, any layout but contiguous, headers and groups of other versions of the format.
struct HDF5Reader {
    /// A data set and where its bytes are.
    struct Dataset {
        var name: String
        var shape: [Int]
        var kind: Kind
        var range: Range<Int>
        var digest: String
    }

    /// What a data set holds.
    enum Kind { case float32, bfloat16, text }

    private let bytes: HDF5Bytes
    private var fileSize: Int { bytes.file.bytes.count }

    /// The data sets of a file by the path of their group.
    ///
    /// - Throws: `Failure.badData` naming the object, what was found and what was expected.
    static func contents(_ file: MappedFile) throws -> [String: [Dataset]] {
        try withExtendedLifetime(file) {
            let reader = HDF5Reader(bytes: HDF5Bytes(file, base: CheckpointSeal.size))
            return try reader.contents(reader.rootAddress())
        }
    }

    /// Where the superblock says that the root group is.
    private func rootAddress() throws -> UInt64 {
        var block = try bytes.block(at: 0, length: 48, "the superblock")
        let start = block.position
        let signature = try block.bytes(8)
        guard signature.elementsEqual([0x89, 0x48, 0x44, 0x46, 0x0D, 0x0A, 0x1A, 0x0A]) else {
            throw block.failure("does not begin as HDF5 files do")
        }
        try block.expect(2, 1, "superblock version")
        try block.expect(8, 1, "size of addresses")
        try block.expect(8, 1, "size of lengths")
        try block.expect(0, 1, "flags")
        try block.expect(UInt64(CheckpointSeal.size), 8, "base address")
        try block.expect(.max, 8, "extension")
        try block.expect(UInt64(fileSize), 8, "end of the file")
        let root = try block.number(8)
        try block.checksum(from: start)
        return root
    }

    private func contents(_ root: UInt64) throws -> [String: [Dataset]] {
        let object = try HDF5Object(at: root, in: bytes, "/")
        let version = try attribute("schema_version", of: object, at: "/")
        guard version == "\(CheckpointSeal.schemaVersion)" else {
            throw failure(
                "/",
                "schema version '\(version)'; expected \(CheckpointSeal.schemaVersion)"
            )
        }
        var result: [String: [Dataset]] = [:]
        for (name, address) in try members(object, at: "/") {
            switch name {
            case "model", "adapters":
                result[name] = try datasets(name, at: address)
            case "optimizer":
                let optimizer = try group(address, at: "/optimizer")
                for (moment, address) in try members(optimizer, at: "/optimizer") {
                    guard moment == "m" || moment == "v" else {
                        throw failure("/optimizer/\(moment)", "unknown; expected m and v")
                    }
                    let path = "optimizer/\(moment)"
                    result[path] = try datasets(path, at: address)
                }
            case "config", "metadata", "state", "tokenizer":
                let text = try dataset(name, at: address, "/\(name)")
                guard text.kind == .text else { throw failure("/\(name)", "expected a string") }
                result["", default: []].append(text)
            default:
                throw failure(
                    "/\(name)",
                    "unknown; expected model, adapters, optimizer, config, metadata, state or "
                        + "tokenizer"
                )
            }
        }
        return result
    }

    private func failure(_ place: String, _ message: String) -> Failure {
        Failure(.badData, file: bytes.file.path, at: "'\(place)'", message)
    }

    /// The members of a group, all of which must be hard links.
    private func members(_ group: HDF5Object, at place: String) throws -> [(String, UInt64)] {
        try group.links(in: bytes).map { link in
            guard let address = link.address else {
                throw failure(
                    "\(place)/\(link.name)",
                    "is a soft or external link; expected a hard link"
                )
            }
            return (link.name, address)
        }
    }

    private func group(_ address: UInt64, at place: String) throws -> HDF5Object {
        let object = try HDF5Object(at: address, in: bytes, place)
        guard object.isGroup else { throw failure(place, "is no group") }
        return object
    }

    private func datasets(_ path: String, at address: UInt64) throws -> [Dataset] {
        try members(group(address, at: "/\(path)"), at: "/\(path)").map { name, address in
            let dataset = try dataset(name, at: address, "/\(path)/\(name)")
            guard dataset.kind != .text else {
                throw failure("/\(path)/\(name)", "holds text; expected numbers")
            }
            return dataset
        }
    }

    private func dataset(_ name: String, at address: UInt64, _ place: String) throws -> Dataset {
        let object = try HDF5Object(at: address, in: bytes, place)
        guard !object.isGroup else { throw failure(place, "is a group; expected a data set") }
        let stored = try storage(object, at: place)
        let shape = try shape(object, at: place)
        let (kind, size) = try type(object, at: place)
        guard let count = Shape.byteCount(shape, bytesPerValue: size), count <= fileSize else {
            throw failure(place, "shape \(shape) is larger than the file of \(fileSize) bytes")
        }
        let digest = try attribute("sha256", of: object, at: place)
        guard count > 0 else {
            return Dataset(name: name, shape: shape, kind: kind, range: 0..<0, digest: digest)
        }
        guard let offset = stored.address else {
            throw failure(place, "its numbers were never written")
        }
        guard stored.length == UInt64(count), offset <= UInt64(fileSize - bytes.base),
            Int(offset) + bytes.base <= fileSize - count
        else {
            throw failure(
                place,
                "takes \(count) bytes, stored as \(stored.length) at byte \(offset); the file ends "
                    + "at \(fileSize)"
            )
        }
        let start = Int(offset) + bytes.base
        return Dataset(
            name: name,
            shape: shape,
            kind: kind,
            range: start..<start + count,
            digest: digest
        )
    }

    /// Where a data set's numbers are, relative to the seal's end; no address where there are none.
    private func storage(_ object: HDF5Object, at place: String) throws
        -> (address: UInt64?, length: UInt64)
    {
        guard try object.only(.external) == nil else {
            throw failure(place, "keeps its numbers in another file")
        }
        guard var layout = try object.only(.layout) else { throw failure(place, "has no layout") }
        let version = try layout.number(1)
        guard (3...4).contains(version) else {
            throw failure(place, "its layout has version \(version); expected 3")
        }
        let kind = try layout.small(1)
        guard kind == 1 else {
            let names = ["compact", "contiguous", "chunked", "virtual"]
            let name = names.indices.contains(kind) ? names[kind] : "unknown"
            throw failure(place, "storage is \(name); expected contiguous")
        }
        guard try object.only(.filters) == nil else {
            throw failure(place, "has filters; expected none")
        }
        return (try layout.address(), try layout.number(8))
    }

    private func shape(_ object: HDF5Object, at place: String) throws -> [Int] {
        guard let space = try object.only(.dataspace), let sizes = try HDF5Object.shape(space)
        else {
            throw failure(place, "has no data space; expected numbers or text")
        }
        return try sizes.map { size in
            guard let size = Int(exactly: size) else {
                throw failure(place, "an axis of \(size) values is larger than any file")
            }
            return size
        }
    }

    /// What the numbers are, and the bytes of one.
    private func type(_ object: HDF5Object, at place: String) throws -> (Kind, Int) {
        guard let message = try object.only(.datatype) else { throw failure(place, "has no type") }
        switch try HDF5Object.datatype(message) {
        case .text(let size): return (.text, size)
        case .float32: return (.float32, 4)
        case .uint16 where try attribute("dtype", of: object, at: place) == "bfloat16":
            return (.bfloat16, 2)
        default:
            throw failure(
                place,
                "its type is neither float32, uint16 with dtype 'bfloat16', nor a string of fixed length"
            )
        }
    }

    /// A short text given to an object.
    private func attribute(_ name: String, of object: HDF5Object, at place: String) throws -> String
    {
        guard let text = try object.attribute(name) else {
            throw failure(place, "has no attribute '\(name)'")
        }
        return text
    }
}
