import Basics
import Foundation
import Kernels

/// A model in safetensors: one file, or a folder with one file or with shards and their index.
public final class Safetensors: TensorSource {
    /// The file or folder read.
    public let path: String
    /// Every tensor by its name.
    public let tensors: [String: TensorInfo]

    private let places: [String: (file: MappedFile, range: Range<Int>)]

    /// Maps a `.safetensors` file, or a folder's `model.safetensors`, or the shards listed in its
    /// `model.safetensors.index.json`, and checks all headers.
    ///
    /// - Throws: `Failure.missingInput` when a file is not there, `Failure.badData` with place,
    ///   found and expected when any part of a header is not as the format asks.
    public init(_ path: String) throws {
        self.path = path
        var places: [String: (file: MappedFile, range: Range<Int>)] = [:]
        var tensors: [String: TensorInfo] = [:]
        let (files, index) = try Safetensors.files(path)
        for name in files {
            let file = try MappedFile(name)
            for tensor in try SafetensorsHeader(file).tensors {
                let key = tensor.info.name
                if let index, index[key] != name {
                    throw Failure(
                        .badData,
                        file: name,
                        at: "tensor '\(key)'",
                        "model.safetensors.index.json does not say that it is here"
                    )
                }
                guard tensors.updateValue(tensor.info, forKey: key) == nil else {
                    throw Failure(.badData, file: name, at: "tensor '\(key)'", "occurs twice")
                }
                places[key] = (file, tensor.range)
            }
        }
        if let lost = index?.first(where: { tensors[$0.key] == nil }) {
            throw Failure(
                .badData,
                file: lost.value,
                at: "tensor '\(lost.key)'",
                "missing; model.safetensors.index.json says that it is here"
            )
        }
        self.tensors = tensors
        self.places = places
    }

    /// The files to read and, for shards, which tensor is in which of them.
    private static func files(_ path: String) throws -> ([String], [String: String]?) {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
            isFolder.boolValue
        else { return ([path], nil) }
        let single = "\(path)/model.safetensors"
        let indexPath = "\(path)/model.safetensors.index.json"
        guard !FileManager.default.fileExists(atPath: single) else { return ([single], nil) }
        guard FileManager.default.fileExists(atPath: indexPath) else {
            throw Failure(
                .missingInput,
                file: path,
                "holds neither model.safetensors nor model.safetensors.index.json"
            )
        }
        let map = try TextFile.readJSON(indexPath)["weight_map"]?.object
        guard let map else {
            throw Failure(.badData, file: indexPath, at: "'weight_map'", "expected an object")
        }
        var index: [String: String] = [:]
        for (name, value) in map.members {
            // A shard lies beside the index: a name that leads elsewhere is not followed.
            guard let shard = value.string, !shard.contains("/"), shard.hasSuffix(".safetensors")
            else {
                throw Failure(
                    .badData,
                    file: indexPath,
                    at: "'\(name)'",
                    "found \(value.string.map { "'\($0)'" } ?? value.kindName); "
                        + "expected the name of a .safetensors file in the same folder"
                )
            }
            index[name] = "\(path)/\(shard)"
        }
        return (Set(index.values).sorted(), index)
    }

    /// A tensor as stored.
    public func matrix(_ name: String) throws -> StoredMatrix {
        let info = try info(name)
        guard let place = places[name] else {
            preconditionFailure("Safetensors: no place of \(name)")
        }
        return try place.file.matrix(info, at: place.range)
    }
}

extension MappedFile {
    /// Numbers in the file as a matrix; copied only where they are not aligned to their size.
    ///
    /// - Precondition: `range` holds exactly the numbers of `info`.
    /// - Throws: `Failure.badData` when there are none.
    func matrix(_ info: TensorInfo, at range: Range<Int>) throws -> StoredMatrix {
        guard info.count > 0 else {
            let place = "tensor '\(info.name)'"
            throw Failure(.badData, file: path, at: place, "shape \(info.shape) holds no numbers")
        }
        let stored = UnsafeRawBufferPointer(rebasing: bytes[range])
        let size = info.format.blockSize == 1 ? info.format.bytesPerBlock : 2
        guard let address = stored.baseAddress, !Int(bitPattern: address).isMultiple(of: size)
        else {
            return StoredMatrix(
                format: info.format,
                rows: info.rows,
                columns: info.columns,
                bytes: stored,
                owner: self,
                isMapped: true
            )
        }
        let owned = OwnedBytes(count: stored.count)
        owned.bytes.copyMemory(from: stored)
        return StoredMatrix(
            format: info.format,
            rows: info.rows,
            columns: info.columns,
            bytes: UnsafeRawBufferPointer(rebasing: owned.bytes.prefix(stored.count)),
            owner: owned
        )
    }
}
