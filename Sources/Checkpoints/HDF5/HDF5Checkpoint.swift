import Basics
import Foundation
import Kernels

/// A checkpoint of this program: weights, moments, state, configuration and tokenizer in one file.
///
/// The file is HDF5 behind a seal of 512 bytes (see `CheckpointSeal`), and h5py opens it:
/// `/model/<name>`, `/adapters/<name>`, `/optimizer/m/<name>`, `/optimizer/v/<name>` hold float32,
/// or bfloat16 as uint16 with the attribute `dtype`; `/config`, `/state`, `/metadata` and `/tokenizer` hold JSON
/// as UTF-8 strings; each has its SHA-256 as an attribute.
public final class HDF5Checkpoint: TensorSource {
    /// Where the file is.
    public let path: String
    /// The model's tensors by name.
    public let tensors: [String: TensorInfo]
    /// Low-rank adapters by name; then `tensors` is empty and `metadata` names their model.
    public let adapters: [String: TensorInfo]
    /// The model's configuration, in the form of Hugging Face's config.json.
    public let configuration: JSON
    /// Where training stood: step, epoch, cursor, seed, and anything else its writer put there.
    public let state: JSON
    /// Whatever else its writer put beside the weights.
    public let metadata: JSON
    /// The text of tokenizer.json, byte for byte; nil when the checkpoint was written without.
    public let tokenizer: Data?

    /// The version of the HDF5 library in use, such as "1.10.8".
    public static var libraryVersion: String { HDF5Library.version }

    private let file: MappedFile
    private let contents: [String: [String: HDF5Reader.Dataset]]

    /// Maps a checkpoint after checking that every bit of it is as it was sealed.
    ///
    /// - Throws: `Failure.missingInput` without the file, `Failure.badData` when it is damaged or
    ///   is something else.
    public convenience init(_ path: String) throws {
        let file = try MappedFile(path)
        try CheckpointSeal.check(file)
        try self.init(contentsOf: file)
    }

    /// Reads a file whose seal has been checked, or has just been stamped.
    private init(contentsOf file: MappedFile) throws {
        let contents = try HDF5Reader.contents(file).mapValues { datasets in
            Dictionary(datasets.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        }
        func text(_ name: String) -> Data? {
            contents[""]?[name].map { Data(file.bytes[$0.range]) }
        }
        func json(_ name: String) throws -> JSON {
            guard let text = text(name) else {
                throw Failure(.badData, file: file.path, at: "'/\(name)'", "missing")
            }
            do { return try JSON(parsing: text) } catch let failure as Failure {
                throw failure.at("'/\(name)'").inFile(file.path)
            }
        }
        path = file.path
        configuration = try json("config")
        state = try json("state")
        metadata = try json("metadata")
        tokenizer = text("tokenizer")
        tensors = (contents["model"] ?? [:]).mapValues(\.info)
        adapters = (contents["adapters"] ?? [:]).mapValues(\.info)
        let trained = tensors.merging(adapters) { tensor, _ in tensor }
        for (group, datasets) in contents where group.hasPrefix("optimizer/") {
            for (name, dataset) in datasets where trained[name]?.shape != dataset.shape {
                throw Failure(
                    .badData,
                    file: file.path,
                    at: "'/\(group)/\(name)'",
                    "shape \(dataset.shape); the tensor has \(trained[name].map { "\($0.shape)" } ?? "none")"
                )
            }
        }
        self.file = file
        self.contents = contents
    }

    /// A tensor of the model as stored.
    public func matrix(_ name: String) throws -> StoredMatrix {
        let info = try info(name)
        guard let dataset = contents["model"]?[name] else {
            preconditionFailure("HDF5Checkpoint: no place of \(name)")
        }
        return try file.matrix(info, at: dataset.range)
    }

    /// Whether training can go on from here: both moments are there.
    public var hasOptimizer: Bool {
        contents["optimizer/m"] != nil && contents["optimizer/v"] != nil
    }

    /// AdamW's first moment of a parameter.
    ///
    /// - Throws: `Failure.badData` when the checkpoint has none.
    public func firstMoment(_ name: String) throws -> Buffer<Float> {
        try numbers("optimizer/m", name)
    }

    /// AdamW's second moment of a parameter.
    ///
    /// - Throws: `Failure.badData` when the checkpoint has none.
    public func secondMoment(_ name: String) throws -> Buffer<Float> {
        try numbers("optimizer/v", name)
    }

    /// One factor of a low-rank update.
    ///
    /// - Throws: `Failure.badData` when the checkpoint has none of that name.
    public func adapter(_ name: String) throws -> Buffer<Float> { try numbers("adapters", name) }

    /// A trained tensor: an adapter, or else one of the model's.
    ///
    /// - Throws: `Failure.badData` when the checkpoint has none of that name.
    public func trained(_ name: String) throws -> Buffer<Float> {
        adapters[name] == nil ? try values(name) : try adapter(name)
    }

    private func numbers(_ group: String, _ name: String) throws -> Buffer<Float> {
        guard let dataset = contents[group]?[name] else {
            throw Failure(.badData, file: path, at: "'/\(group)/\(name)'", "missing")
        }
        guard dataset.info.count > 0 else { return Buffer(count: 0) }
        let stored = try file.matrix(dataset.info, at: dataset.range)
        defer { stored.releasePages() }
        return stored.dequantized(rows: 0..<stored.rows)
    }

    /// Compares every data set with its digest.
    ///
    /// - Throws: `Failure.badData` naming the first that differs.
    func checkDigests() throws {
        let all = contents.sorted { $0.key < $1.key }.flatMap { group, datasets in
            datasets.sorted { $0.key < $1.key }.map { (group, $0.key, $0.value) }
        }
        let areWhole = ThreadPool.map(all, grain: 1) { _, _, dataset in
            var digest = SHA256()
            digest.update(mapped: UnsafeRawBufferPointer(rebasing: file.bytes[dataset.range]))
            return digest.hex() == dataset.digest
        }
        guard let first = areWhole.firstIndex(of: false) else { return }
        let (group, name, _) = all[first]
        throw Failure(
            .badData,
            file: path,
            at: "'\(group.isEmpty ? "" : "/")\(group)/\(name)'",
            "its bytes do not have the SHA-256 that the file gives"
        )
    }
}

extension HDF5Checkpoint {
    /// Writes a checkpoint that is there whole or not at all.
    ///
    /// Written beside as a `TemporaryFile`, closed, sealed, flushed to the device, opened again,
    /// compared with its digests, renamed; then the folder is flushed. An older file of this name
    /// stays until the last step.
    /// - Throws: `Failure.disk` when it cannot be written; what a tensor's `load` throws. The older
    ///   file is then untouched.
    public static func write(_ content: CheckpointContent, to path: String) throws {
        try AtomicFile.replace(path, byteCount: content.estimatedByteCount) { temporary in
            try HDF5Writer.write(content, to: temporary)
            try CheckpointSeal.stamp(temporary)
            do { try HDF5Checkpoint(contentsOf: MappedFile(temporary)).checkDigests() } catch {
                throw Failure(
                    .disk,
                    file: path,
                    "does not read back as written: \(error)",
                    remedy: "Check the disk and run the same command again."
                )
            }
        }
    }

    /// Opens a checkpoint and compares, besides its seal, each data set with its digest.
    ///
    /// - Throws: as `init`.
    @discardableResult
    public static func verify(_ path: String) throws -> HDF5Checkpoint {
        let checkpoint = try HDF5Checkpoint(path)
        try checkpoint.checkDigests()
        return checkpoint
    }
}

extension HDF5Reader.Dataset {
    /// The data set as a tensor.
    var info: TensorInfo {
        TensorInfo(name: name, shape: shape, format: kind == .bfloat16 ? .bf16 : .f32)
    }
}
