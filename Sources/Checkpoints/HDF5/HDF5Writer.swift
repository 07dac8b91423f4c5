import Basics
import CHDF5
import Foundation
import Kernels

/// Writes a checkpoint's HDF5 file, not yet sealed.
///
/// Equal content gives equal bytes: names in one order, no times, every data set contiguous and
/// aligned to 64 bytes so that readers can map it. Structures are those of HDF5 1.8, whose
/// metadata carry checksums and which every later reader opens.
struct HDF5Writer {
    let session: HDF5Session

    /// Writes all of `content` to a new file.
    ///
    /// - Throws: `Failure.disk`; what a tensor's `load` throws.
    static func write(_ content: CheckpointContent, to path: String) throws {
        try HDF5Library.session(HDF5Session(path: path, kind: .disk)) { session in
            try HDF5Writer(session: session).write(content)
        }
    }

    private func write(_ content: CheckpointContent) throws {
        try createFile { file in
            try attribute("format", "rsd checkpoint", of: file)
            try attribute("schema_version", "\(CheckpointSeal.schemaVersion)", of: file)
            for group in content.groups {
                try createGroup(group.path, in: file) { id in
                    for tensor in group.tensors { try dataset(tensor, in: id) }
                }
            }
            for (name, text) in content.texts { try dataset(name, text, in: file) }
            try session.check("H5Fflush", H5Fflush(file, H5F_SCOPE_GLOBAL))
        }
    }

    /// Creates a file with room for the seal.
    func createFile<R>(_ body: (hid_t) throws -> R) throws -> R {
        try session.properties(hdf5_file_create_class()) { creation in
            let userBlock = hsize_t(CheckpointSeal.size)
            try session.check("H5Pset_userblock", H5Pset_userblock(creation, userBlock))
            // The root group's times; equal content is to give equal bytes.
            try session.check("H5Pset_obj_track_times", H5Pset_obj_track_times(creation, false))
            return try session.properties(hdf5_file_access_class()) { access in
                try session.check(
                    "H5Pset_libver_bounds",
                    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18)
                )
                try session.check("H5Pset_alignment", H5Pset_alignment(access, 1, 64))
                let degree = H5F_CLOSE_STRONG
                try session.check("H5Pset_fclose_degree", H5Pset_fclose_degree(access, degree))
                return try session.using(
                    "H5Fcreate",
                    hdf5_create_file(session.path, creation, access),
                    close: H5Fclose,
                    body
                )
            }
        }
    }

    /// Creates a group and those above it.
    func createGroup<R>(_ path: String, in file: hid_t, _ body: (hid_t) throws -> R) throws -> R {
        try session.properties(hdf5_group_create_class()) { creation in
            try session.check("H5Pset_obj_track_times", H5Pset_obj_track_times(creation, false))
            var parent = ""
            for part in path.split(separator: "/").dropLast() {
                parent += "/\(part)"
                guard H5Lexists(file, parent, hdf5_default()) <= 0 else { continue }
                let outer = H5Gcreate2(file, parent, hdf5_default(), creation, hdf5_default())
                try session.using("H5Gcreate2", outer, close: H5Gclose) { _ in }
            }
            let group = H5Gcreate2(file, path, hdf5_default(), creation, hdf5_default())
            return try session.using("H5Gcreate2", group, close: H5Gclose, body)
        }
    }

    /// Writes a tensor with its digest, and its type where HDF5 has none for it.
    func dataset(_ tensor: NamedTensor, in group: hid_t) throws {
        precondition(
            !tensor.name.isEmpty && tensor.name != "." && !tensor.name.contains("/"),
            "checkpoint: '\(tensor.name)' cannot name a data set"
        )
        let type = tensor.storage == .float32 ? hdf5_float32_type() : hdf5_uint16_type()
        try tensor.withStoredBytes { bytes in
            try create(tensor.name, type: type, shape: tensor.shape, in: group) { dataset in
                var digest = SHA256()
                digest.update(bytes)
                try attribute("sha256", digest.hex(), of: dataset)
                if tensor.storage == .bfloat16 {
                    try attribute("dtype", "bfloat16", of: dataset)
                }
                try write(bytes, type: type, to: dataset)
            }
        }
    }

    /// Writes a text as one UTF-8 string of fixed length.
    func dataset(_ name: String, _ text: Data, in group: hid_t) throws {
        try session.string(length: text.count) { type in
            try create(name, type: type, shape: [], in: group) { dataset in
                try attribute("sha256", SHA256.hex(of: text), of: dataset)
                try text.withUnsafeBytes { try write($0, type: type, to: dataset) }
            }
        }
    }

    /// Gives a file, group or data set a short ASCII text.
    func attribute(_ name: String, _ text: String, of object: hid_t) throws {
        try session.string(length: text.utf8.count, utf8: false) { type in
            try session.dataspace([]) { space in
                let attribute = H5Acreate2(
                    object,
                    name,
                    type,
                    space,
                    hdf5_default(),
                    hdf5_default()
                )
                try session.using("H5Acreate2", attribute, close: H5Aclose) { attribute in
                    try session.check("H5Awrite", H5Awrite(attribute, type, Array(text.utf8)))
                }
            }
        }
    }

    private func create(
        _ name: String,
        type: hid_t,
        shape: [Int],
        in group: hid_t,
        _ body: (hid_t) throws -> Void
    ) throws {
        try session.dataspace(shape) { space in
            try session.properties(hdf5_dataset_create_class()) { creation in
                try session.check("H5Pset_obj_track_times", H5Pset_obj_track_times(creation, false))
                try session.check("H5Pset_layout", H5Pset_layout(creation, H5D_CONTIGUOUS))
                try session.check(
                    "H5Pset_fill_time",
                    H5Pset_fill_time(creation, H5D_FILL_TIME_NEVER)
                )
                let dataset = H5Dcreate2(
                    group,
                    name,
                    type,
                    space,
                    hdf5_default(),
                    creation,
                    hdf5_default()
                )
                try session.using("H5Dcreate2", dataset, close: H5Dclose, body)
            }
        }
    }

    private func write(
        _ bytes: UnsafeRawBufferPointer,
        type: hid_t,
        to dataset: hid_t
    ) throws {
        guard let address = bytes.baseAddress, !bytes.isEmpty else { return }
        let status = H5Dwrite(dataset, type, hdf5_all(), hdf5_all(), hdf5_default(), address)
        try session.check("H5Dwrite", status)
    }
}
