import Basics
import Foundation
import Kernels

/// A base model's tensors with the updates of adapters, from a checkpoint or in training.
///
/// Read from here, an adapted matrix is merged: W + (α / r) B A in float32, made when asked for.
/// Whoever can apply adapters by themselves takes `base` and `adapter(_:)` instead.
public final class AdaptedTensors: TensorSource {
    /// The checkpoint of adapters, or what they are called in messages.
    public let path: String
    /// The frozen model.
    public let base: any TensorSource
    /// Size and scale of the updates.
    public let lora: LoRA
    /// The merged tensors; the adapters themselves are not listed.
    public let tensors: [String: TensorInfo]
    private let adapters: [String: NamedTensor]

    /// Joins adapters and the model that they were trained on.
    ///
    /// - Parameters:
    ///   - adapters: The factors, each loaded into memory that may be changed.
    ///   - path: Where they are from, for messages.
    ///   - base: The model.
    ///   - lora: Size and scale of the updates.
    /// - Throws: `Failure.badData` when an adapter is missing or does not fit its matrix.
    public init(
        _ adapters: [NamedTensor],
        path: String,
        base: any TensorSource,
        lora: LoRA
    ) throws {
        let adapters = Dictionary(adapters.map { ($0.name, $0) }) { first, _ in first }
        self.path = path
        self.base = base
        self.lora = lora
        self.adapters = adapters
        var tensors = base.tensors
        var left = Set(adapters.keys)
        for (name, info) in base.tensors where Self.isAdapted(name, lora) {
            let map = Self.map(name)
            for (adapter, shape) in [
                (LoRA.a(map), [lora.rank, info.columns]), (LoRA.b(map), [info.rows, lora.rank]),
            ] {
                guard let found = adapters[adapter]?.shape, found == shape else {
                    throw Failure(
                        .badData,
                        file: path,
                        at: "'/adapters/\(adapter)'",
                        "found \(adapters[adapter].map { "\($0.shape)" } ?? "nothing"); "
                            + "expected \(shape)"
                    )
                }
                left.remove(adapter)
            }
            tensors[name]?.format = .f32
        }
        if let stray = left.min() {
            throw Failure(
                .badData,
                file: path,
                at: "'/adapters/\(stray)'",
                "has no matrix in \(base.path) to adapt"
            )
        }
        self.tensors = tensors
    }

    /// The path of the linear map that a weight belongs to.
    private static func map(_ name: String) -> String { String(name.dropLast(".weight".count)) }

    private static func isAdapted(_ name: String, _ lora: LoRA) -> Bool {
        name.hasSuffix(".weight") && lora.adapts(map(name))
    }

    /// A matrix: merged, or as the base stores it where there is no adapter.
    public func matrix(_ name: String) throws -> StoredMatrix {
        guard Self.isAdapted(name, lora) else { return try base.matrix(name) }
        return try plainMatrix(name)
    }

    /// A tensor widened to float32, merged where it is adapted.
    public func values(_ name: String) throws -> Buffer<Float> {
        let values = try base.values(name)
        guard Self.isAdapted(name, lora) else { return values }
        let (info, map) = (try info(name), Self.map(name))
        let a = try adapter(LoRA.a(map))
        scale(a, by: Float(lora.scale), into: a)
        gemm(
            try adapter(LoRA.b(map)),
            a,
            into: values,
            m: info.rows,
            n: info.columns,
            k: lora.rank,
            isAdding: true
        )
        return values
    }

    /// A factor of an update.
    ///
    /// - Throws: `Failure.badData` when there is none of that name.
    public func adapter(_ name: String) throws -> Buffer<Float> {
        guard let adapter = adapters[name] else {
            throw Failure(.badData, file: path, at: "'/adapters/\(name)'", "no such adapter")
        }
        return try adapter.load()
    }

    /// A factor of an update, all of whose numbers are finite.
    ///
    /// - Throws: As `adapter`; `Failure.badData` naming the adapter.
    public func finiteAdapter(_ name: String) throws -> Buffer<Float> {
        let values = try adapter(name)
        guard values.firstNotFinite == nil else {
            throw Failure(
                .badData,
                file: path,
                at: "'/adapters/\(name)'",
                "holds numbers that are infinite or not a number",
                remedy: "Take an earlier checkpoint."
            )
        }
        return values
    }
}

/// The model that adapters were trained on, as their checkpoint names it.
public struct AdapterBase: Sendable, Equatable {
    /// Where it was: relative to the checkpoint's folder or to the working directory.
    public var path: String
    /// SHA-256 of its tensors; see `TensorSource.digest`.
    public var digest: String

    /// Names a base model.
    public init(path: String, digest: String) {
        self.path = path
        self.digest = digest
    }

    /// What a checkpoint's metadata say of its adapters, in the words of PEFT's
    /// adapter_config.json.
    public func configuration(_ lora: LoRA) -> JSON {
        [
            "peft_type": "LORA", "base_model_name_or_path": .string(path),
            "base_model_sha256": .string(digest), "r": .integer(lora.rank),
            "lora_alpha": .number(lora.alpha),
            "target_modules": .array(lora.targets.map { .string($0) }),
        ]
    }

    /// Reads what `configuration` writes.
    ///
    /// - Throws: `Failure.badData` naming the member that is missing.
    init(_ json: JSON) throws {
        self.init(
            path: try json.string("base_model_name_or_path"),
            digest: try json.string("base_model_sha256")
        )
    }

    /// Opens the base that a checkpoint of adapters names, known by the digest of its tensors.
    ///
    /// It is looked for relative to the checkpoint's folder, to the working directory, and then at
    /// `places`, where the caller knows it to be now.
    /// - Throws: `Failure.missingInput` when nothing is at any of them; `Failure.badData` when only
    ///   other models are; what opening one throws.
    func open(
        for checkpoint: String,
        _ families: [ModelFamily],
        places: [String]
    ) throws -> ModelFiles {
        let folder = URL(filePath: checkpoint).deletingLastPathComponent()
        let beside = folder.appending(path: path).standardized.path(percentEncoded: false)
        var tried: [String] = []
        var broken: Failure?
        for place in [beside, path] + places
        where !tried.contains(place) && FileManager.default.fileExists(atPath: place) {
            tried.append(place)
            do {
                let base = try ModelFiles.open(place, families, acceptsAdapters: false)
                if try base.source.digest() == digest { return base }
            } catch let failure as Failure { broken = broken ?? failure }
        }
        if let broken { throw broken }
        guard !tried.isEmpty else {
            throw Failure(
                .missingInput,
                file: checkpoint,
                "holds adapters of the model \(path), which is not there",
                remedy: "Copy the model there, or say with --base where it is now; an experiment "
                    + "looks where its student is."
            )
        }
        throw Failure(
            .badData,
            file: checkpoint,
            "holds adapters of another model than \(tried.joined(separator: " or ")) is now",
            remedy: "Give the original model: its tensors have the SHA-256 \(digest)."
        )
    }

    /// What is said of adapters whose base is another checkpoint of adapters.
    public static func nested(_ path: String) -> Failure {
        Failure(
            .badData,
            file: path,
            "holds adapters; expected a whole model as the base of other adapters",
            remedy: "Merge it first: rsd-train export \(path) --to FOLDER"
        )
    }
}

extension TensorSource {
    /// SHA-256 of all tensors: names, shapes, formats and bytes, in the order of names.
    ///
    /// - Throws: `Failure.badData` when a tensor cannot be read.
    public func digest() throws -> String {
        var digest = SHA256()
        for (name, info) in tensors.sorted(by: { $0.key < $1.key }) {
            digest.update("\(name) \(info.shape) \(info.format.name)\n")
            guard info.count > 0 else { continue }
            let stored = try matrix(name)
            digest.update(stored.bytes)
            stored.releasePages()
        }
        return digest.hex()
    }
}
