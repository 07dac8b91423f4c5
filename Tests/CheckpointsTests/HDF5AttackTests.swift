import Basics
import CHDF5
import Foundation
import Testing

@testable import Checkpoints

/// A change to a checkpoint's HDF5 file before it is sealed as if it were genuine.
struct HDF5Attack: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let fragment: String
    /// Gets the open file.
    let change: @Sendable (HDF5Writer, hid_t) throws -> Void

    init(
        _ name: String,
        _ fragment: String,
        _ change: @escaping @Sendable (HDF5Writer, hid_t) throws -> Void
    ) {
        testDescription = name
        self.fragment = fragment
        self.change = change
    }
}

/// Makes a data set in /model with a creation property list to spoil.
private func dataset(
    _ writer: HDF5Writer,
    _ file: hid_t,
    name: String = "/model/z",
    type: hid_t = hdf5_float32_type(),
    shape: [Int] = [4],
    _ spoil: (hid_t) -> herr_t = { _ in 0 },
    then: (hid_t) throws -> Void = { _ in }
) throws {
    let session = writer.session
    try session.dataspace(shape) { space in
        try session.properties(hdf5_dataset_create_class()) { list in
            try session.check("spoiling", spoil(list))
            let id = H5Dcreate2(file, name, type, space, 0, list, 0)
            try session.using("H5Dcreate2", id, close: H5Dclose) { dataset in
                try writer.attribute("sha256", String(repeating: "0", count: 64), of: dataset)
                try then(dataset)
            }
        }
    }
}

let hdf5Attacks: [HDF5Attack] = [
    HDF5Attack("soft link", "'/model/z': is a soft or external link") { writer, file in
        let status = H5Lcreate_soft("/config", file, "/model/z", 0, 0)
        try writer.session.check("H5Lcreate_soft", status)
    },
    HDF5Attack("external link", "'/model/z': is a soft or external link") { writer, file in
        let status = H5Lcreate_external("/etc/passwd", "/", file, "/model/z", 0, 0)
        try writer.session.check("H5Lcreate_external", status)
    },
    HDF5Attack("soft link in place of the model", "'//model': is a soft or") { writer, file in
        try writer.session.check("H5Ldelete", H5Ldelete(file, "/model", 0))
        let status = H5Lcreate_soft("/optimizer/m", file, "/model", 0, 0)
        try writer.session.check("H5Lcreate_soft", status)
    },
    HDF5Attack("external storage", "keeps its numbers in another file") { writer, file in
        try dataset(writer, file) { H5Pset_external($0, "/etc/passwd", 0, 16) }
    },
    HDF5Attack("virtual storage", "storage is virtual; expected contiguous") { writer, file in
        try writer.session.dataspace([4]) { space in
            try dataset(writer, file) { H5Pset_virtual($0, space, "/etc/passwd", "/x", space) }
        }
    },
    HDF5Attack("chunked", "storage is chunked; expected contiguous") { writer, file in
        try dataset(writer, file) { H5Pset_chunk($0, 1, [2]) }
    },
    HDF5Attack("compressed", "storage is chunked; expected contiguous") { writer, file in
        try dataset(writer, file) { max(H5Pset_chunk($0, 1, [2]), H5Pset_deflate($0, 9)) }
    },
    HDF5Attack("compact", "storage is compact; expected contiguous") { writer, file in
        try dataset(writer, file) { H5Pset_layout($0, H5D_COMPACT) }
    },
    HDF5Attack("declared size without numbers", "is larger than the file of") { writer, file in
        try dataset(writer, file, shape: [1 << 40])
    },
    HDF5Attack("declared size that wraps", "is larger than the file of") { writer, file in
        try dataset(writer, file, shape: [1 << 30, 1 << 30])
    },
    HDF5Attack("numbers never written", "its numbers were never written") { writer, file in
        try dataset(writer, file)
    },
    HDF5Attack("another type", "its type is neither float32") { writer, file in
        try dataset(writer, file, type: hdf5_int64_type())
    },
    HDF5Attack("uint16 that is not bfloat16", "has no attribute 'dtype'") { writer, file in
        try dataset(writer, file, type: hdf5_uint16_type())
    },
    HDF5Attack("text among the tensors", "holds text; expected numbers") { writer, file in
        try writer.createGroup("model/extra", in: file) { _ in }
        try writer.session.check("H5Ldelete", H5Ldelete(file, "/model/extra", 0))
        let model = H5Gopen2(file, "model", 0)
        try writer.session.using("H5Gopen2", model, close: H5Gclose) {
            try writer.dataset("z", Data("text".utf8), in: $0)
        }
    },
    HDF5Attack("group among the tensors", "'/model/z': is a group; expected a data set") {
        writer,
        file in
        try writer.createGroup("model/z", in: file) { _ in }
    },
    HDF5Attack("unknown member", "'/extra': unknown; expected model") { writer, file in
        try writer.createGroup("extra", in: file) { _ in }
    },
    HDF5Attack("unknown moment", "'/optimizer/x': unknown; expected m and v") { writer, file in
        try writer.createGroup("optimizer/x", in: file) { _ in }
    },
    HDF5Attack("moment of another shape", "shape [3]; the tensor has [5]") { writer, file in
        let name = "/optimizer/m/model.norm.weight"
        try writer.session.check("H5Ldelete", H5Ldelete(file, name, 0))
        try dataset(
            writer,
            file,
            name: name,
            shape: [3],
            then: { dataset in
                let numbers: [Float] = [1, 2, 3]
                try writer.session.check(
                    "H5Dwrite",
                    H5Dwrite(dataset, hdf5_float32_type(), hdf5_all(), hdf5_all(), 0, numbers)
                )
            }
        )
    },
    HDF5Attack("moment of no tensor", "the tensor has none") { writer, file in
        let status = H5Ldelete(file, "/model/model.norm.weight", 0)
        try writer.session.check("H5Ldelete", status)
    },
    HDF5Attack("no digest", "has no attribute 'sha256'") { writer, file in
        let name = "/model/model.norm.weight"
        try writer.session.check("H5Adelete", H5Adelete_by_name(file, name, "sha256", 0))
    },
    HDF5Attack("digest of one megabyte", "'sha256' is no text of 1 to 64 bytes") { writer, file in
        let name = "/model/model.norm.weight"
        try writer.session.check("H5Adelete", H5Adelete_by_name(file, name, "sha256", 0))
        let id = H5Dopen2(file, name, 0)
        try writer.session.using("H5Dopen2", id, close: H5Dclose) {
            try writer.attribute("sha256", String(repeating: "0", count: 60000), of: $0)
        }
    },
    HDF5Attack("no configuration", "'/config': missing") { writer, file in
        try writer.session.check("H5Ldelete", H5Ldelete(file, "/config", 0))
    },
    HDF5Attack("state that is no JSON", "'/state', byte 0: not valid JSON") { writer, file in
        try writer.session.check("H5Ldelete", H5Ldelete(file, "/state", 0))
        try writer.dataset("state", Data("step 3".utf8), in: file)
    },
    HDF5Attack("another schema version", "schema version '9'; expected 1") { writer, file in
        try writer.session.check("H5Adelete", H5Adelete(file, "schema_version"))
        try writer.attribute("schema_version", "9", of: file)
    },
]

@Suite struct HDF5AttackTests {
    /// Writes the sample, changes it, and seals it as if it were genuine.
    static func forge(_ attack: HDF5Attack, _ path: String) throws {
        try HDF5Writer.write(sampleContent(), to: path)
        try HDF5Library.session(HDF5Session(path: path, kind: .failed)) { session in
            let writer = HDF5Writer(session: session)
            try session.properties(hdf5_file_access_class()) { access in
                // The writer's bounds: the attack is what it says, and no other difference.
                try session.check(
                    "H5Pset_libver_bounds",
                    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V110)
                )
                let file = H5Fopen(path, UInt32(H5F_ACC_RDWR_VALUE), access)
                try session.using("H5Fopen", file, close: H5Fclose) {
                    try attack.change(writer, $0)
                }
            }
        }
        try CheckpointSeal.stamp(path)
    }

    @Test(arguments: hdf5Attacks) func refusesForged(_ attack: HDF5Attack) throws {
        let folder = try TemporaryFolder()
        let path = folder.file("attack.h5")
        try HDF5AttackTests.forge(attack, path)
        let failure = try #require(failure { _ = try HDF5Checkpoint(path) })
        #expect(failure.kind.exitCode == 65)
        #expect("\(failure)".contains(attack.fragment), "\(failure)")
        #expect(failure.file == path)
    }

    @Test func acceptsTheBaseOfTheAttacks() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.h5")
        try HDF5AttackTests.forge(HDF5Attack("none", "") { _, _ in }, path)
        #expect(try HDF5Checkpoint(path).tensors.count == 4)
    }

    @Test func verifyFindsADigestThatDiffers() throws {
        let folder = try TemporaryFolder()
        let path = folder.file("a.h5")
        let attack = HDF5Attack("digest", "") { writer, file in
            let name = "/model/model.norm.weight"
            try writer.session.check("H5Adelete", H5Adelete_by_name(file, name, "sha256", 0))
            let id = H5Dopen2(file, name, 0)
            try writer.session.using("H5Dopen2", id, close: H5Dclose) {
                try writer.attribute("sha256", String(repeating: "0", count: 64), of: $0)
            }
        }
        try HDF5AttackTests.forge(attack, path)
        _ = try HDF5Checkpoint(path)
        let failure = try #require(failure { try HDF5Checkpoint.verify(path) })
        #expect("\(failure)".contains("'/model/model.norm.weight': its bytes do not have"))
    }
}

/// `H5F_ACC_RDWR`, which Swift cannot import.
private let H5F_ACC_RDWR_VALUE = 1
