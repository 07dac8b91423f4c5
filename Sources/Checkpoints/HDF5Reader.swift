import CHDF5
import Files
import Foundation

/// Reads the table of contents of a checkpoint whose seal has been checked.
///
/// Only structure is asked of the HDF5 library; numbers and texts are taken from the mapped file at
/// the places it names, once these are known to lie inside the file. A seal does not say who made
/// it, so everything that could lead out of the file or allocate by a declared size is refused
/// here: links other than hard ones, external and virtual storage, filters, any layout but
/// contiguous.
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

    let session: HDF5Session
    let fileSize: Int

    /// The data sets of a file by the path of their group.
    ///
    /// - Throws: `Failure.badData` naming the object, what was found and what was expected.
    static func contents(_ file: MappedFile) throws -> [String: [Dataset]] {
        try HDF5Library.session(HDF5Session(path: file.path, kind: .badData)) { session in
            let reader = HDF5Reader(session: session, fileSize: file.bytes.count)
            return try session.properties(hdf5_file_access_class()) { access in
                let degree = H5F_CLOSE_STRONG
                try session.check("H5Pset_fclose_degree", H5Pset_fclose_degree(access, degree))
                let id = hdf5_open_file(file.path, access)
                return try session.using("H5Fopen", id, close: H5Fclose) { root in
                    guard file.isCurrent else {
                        throw Failure(
                            .badData,
                            file: file.path,
                            "was replaced while it was opened",
                            remedy: "Run the same command again."
                        )
                    }
                    return try reader.contents(root)
                }
            }
        }
    }

    private func contents(_ root: hid_t) throws -> [String: [Dataset]] {
        let version = try attribute("schema_version", of: root, at: "/")
        guard version == "\(CheckpointSeal.schemaVersion)" else {
            throw failure(
                "/",
                "schema version '\(version)'; expected \(CheckpointSeal.schemaVersion)"
            )
        }
        var result: [String: [Dataset]] = [:]
        for name in try links(root, at: "/") {
            switch name {
            case "model", "adapters": result[name] = try datasets(name, in: root)
            case "optimizer":
                let optimizer = H5Gopen2(root, name, hdf5_default())
                try session.using("H5Gopen2", optimizer, close: H5Gclose) { group in
                    for moment in try links(group, at: "/optimizer") {
                        guard moment == "m" || moment == "v" else {
                            throw failure("/optimizer/\(moment)", "unknown; expected m and v")
                        }
                        result["optimizer/\(moment)"] = try datasets(
                            "optimizer/\(moment)",
                            in: root
                        )
                    }
                }
            case "config", "metadata", "state", "tokenizer":
                let text = try dataset(name, in: root, at: "/\(name)")
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
        Failure(.badData, file: session.path, at: "'\(place)'", message)
    }

    /// The names in a group, all of which must be hard links.
    private func links(_ group: hid_t, at place: String) throws -> [String] {
        let box = Links()
        let status = hdf5_visit_links(
            group,
            { name, isHard, context in
                guard let name, let context else { return -1 }
                let box = Unmanaged<Links>.fromOpaque(context).takeUnretainedValue()
                guard let text = String(validatingCString: name) else { return -1 }
                box.names.append(text)
                if isHard == 0 { box.soft = box.soft ?? text }
                return 0
            },
            Unmanaged.passUnretained(box).toOpaque()
        )
        try session.check("H5Literate", status)
        if let soft = box.soft {
            throw failure("\(place)/\(soft)", "is a soft or external link; expected a hard link")
        }
        return box.names
    }

    private final class Links {
        var names: [String] = []
        var soft: String?
    }

    private func datasets(_ path: String, in root: hid_t) throws -> [Dataset] {
        let group = H5Gopen2(root, path, hdf5_default())
        return try session.using("H5Gopen2", group, close: H5Gclose) { group in
            try links(group, at: "/\(path)").map { name in
                let dataset = try dataset(name, in: group, at: "/\(path)/\(name)")
                guard dataset.kind != .text else {
                    throw failure("/\(path)/\(name)", "holds text; expected numbers")
                }
                return dataset
            }
        }
    }

    private func dataset(_ name: String, in group: hid_t, at place: String) throws -> Dataset {
        let id = H5Dopen2(group, name, hdf5_default())
        return try session.using("H5Dopen2", id, close: H5Dclose) { dataset in
            try checkLayout(dataset, at: place)
            let shape = try shape(dataset, at: place)
            let (kind, size) = try type(dataset, at: place)
            guard let count = Shape.byteCount(shape, bytesPerValue: size), count <= fileSize else {
                throw failure(place, "shape \(shape) is larger than the file of \(fileSize) bytes")
            }
            let digest = try attribute("sha256", of: dataset, at: place)
            let offset = H5Dget_offset(dataset)
            guard count > 0 else {
                return Dataset(name: name, shape: shape, kind: kind, range: 0..<0, digest: digest)
            }
            // No address: 1.10 adds the seal's size to "undefined", which wraps to 511.
            guard offset != hdf5_undefined_address(), offset >= haddr_t(CheckpointSeal.size) else {
                throw failure(place, "its numbers were never written")
            }
            guard let start = Int(exactly: offset), start <= fileSize - count else {
                throw failure(
                    place,
                    "takes \(count) bytes at byte \(offset); the file ends at \(fileSize)"
                )
            }
            return Dataset(
                name: name,
                shape: shape,
                kind: kind,
                range: start..<start + count,
                digest: digest
            )
        }
    }

    private func checkLayout(_ dataset: hid_t, at place: String) throws {
        let list = H5Dget_create_plist(dataset)
        try session.using("H5Dget_create_plist", list, close: H5Pclose) { list in
            let external = try session.check("H5Pget_external_count", H5Pget_external_count(list))
            guard external == 0 else { throw failure(place, "keeps its numbers in another file") }
            let layout = H5Pget_layout(list)
            guard layout == H5D_CONTIGUOUS else {
                let name = [
                    H5D_COMPACT.rawValue: "compact", H5D_CHUNKED.rawValue: "chunked",
                    H5D_VIRTUAL.rawValue: "virtual",
                ][layout.rawValue]
                throw failure(place, "storage is \(name ?? "unknown"); expected contiguous")
            }
            let filters = try session.check("H5Pget_nfilters", H5Pget_nfilters(list))
            guard filters == 0 else { throw failure(place, "\(filters) filters; expected none") }
        }
    }

    private func shape(_ dataset: hid_t, at place: String) throws -> [Int] {
        let space = H5Dget_space(dataset)
        return try session.using("H5Dget_space", space, close: H5Sclose) { space in
            guard H5Sget_simple_extent_type(space) != H5S_NULL else {
                throw failure(place, "has no data space; expected numbers or text")
            }
            let axes = Int(
                try session.check("H5Sget_simple_extent_ndims", H5Sget_simple_extent_ndims(space))
            )
            var sizes = [hsize_t](repeating: 0, count: max(axes, 1))
            let status = H5Sget_simple_extent_dims(space, &sizes, nil)
            try session.check("H5Sget_simple_extent_dims", status)
            return try sizes.prefix(axes).map { size in
                guard let size = Int(exactly: size) else {
                    throw failure(place, "an axis of \(size) values is larger than any file")
                }
                return size
            }
        }
    }

    /// What the numbers are, and the bytes of one.
    private func type(_ dataset: hid_t, at place: String) throws -> (Kind, Int) {
        try session.using("H5Dget_type", H5Dget_type(dataset), close: H5Tclose) { type in
            let size = H5Tget_size(type)
            if H5Tget_class(type) == H5T_STRING, H5Tis_variable_str(type) == 0 {
                return (.text, size)
            }
            if H5Tequal(type, hdf5_float32_type()) > 0 { return (.float32, 4) }
            if H5Tequal(type, hdf5_uint16_type()) > 0,
                try attribute("dtype", of: dataset, at: place) == "bfloat16"
            {
                return (.bfloat16, 2)
            }
            throw failure(
                place,
                "its type is neither float32, uint16 with dtype 'bfloat16', nor a string of fixed length"
            )
        }
    }

    /// A short text given to an object.
    private func attribute(_ name: String, of object: hid_t, at place: String) throws -> String {
        guard H5Aexists(object, name) > 0 else {
            throw failure(place, "has no attribute '\(name)'")
        }
        let id = H5Aopen(object, name, hdf5_default())
        return try session.using("H5Aopen", id, close: H5Aclose) { attribute in
            try session.using("H5Aget_type", H5Aget_type(attribute), close: H5Tclose) { type in
                let size = H5Tget_size(type)
                guard H5Tget_class(type) == H5T_STRING, H5Tis_variable_str(type) == 0,
                    (1...64).contains(size), H5Aget_storage_size(attribute) == hsize_t(size)
                else {
                    throw failure(place, "attribute '\(name)' is no text of 1 to 64 bytes")
                }
                var bytes = [UInt8](repeating: 0, count: size)
                try session.check("H5Aread", H5Aread(attribute, type, &bytes))
                return String(decoding: bytes, as: UTF8.self)
            }
        }
    }
}
