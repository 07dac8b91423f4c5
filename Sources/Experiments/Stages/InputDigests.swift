import Files
import Foundation
import Kernels
import Synchronization

/// SHA-256 digests of input files, remembered by path, size and time of change.
///
/// Model files are gigabytes; without the memory every command would read all of them first.
public final class InputDigests: Sendable {
    private let cachePath: String?
    private let known: Mutex<[String: String]>
    private let computed = Mutex<[String: String]>([:])

    /// Opens the memory, or an empty one where the file is missing or unreadable.
    ///
    /// Without a path nothing is remembered beyond this object.
    public init(cache path: String? = nil) {
        cachePath = path
        var entries: [String: String] = [:]
        if let path, let json = try? TextFile.readJSON(path), let object = json.object {
            for (key, value) in object.members { entries[key] = value.string }
        }
        known = Mutex(entries)
    }

    /// The digest of a model or of any other input: a file's bytes, or a folder's relevant files.
    ///
    /// - Throws: `Failure.missingInput`, with `source` as the remedy.
    public func digest(of path: String, source: String? = nil) throws -> String {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.missingInput, file: path, "no such file or folder", remedy: source)
        }
        guard isFolder.boolValue else { return try fileDigest(path) }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
            .filter { $0.hasSuffix(".json") || $0.hasSuffix(".safetensors") }.sorted()
        guard !names.isEmpty else {
            throw Failure(
                .missingInput,
                file: path,
                "holds no .json and .safetensors files; expected a Hugging Face folder",
                remedy: source
            )
        }
        var hash = SHA256()
        for name in names { hash.update("\(name) \(try fileDigest("\(path)/\(name)"))\n") }
        return hash.hex()
    }

    /// A digest that is computed once in the life of this object, under a name of the caller's.
    func digest(named name: String, _ compute: () throws -> String) rethrows -> String {
        if let digest = computed.withLock({ $0[name] }) { return digest }
        let digest = try compute()
        computed.withLock { $0[name] = digest }
        return digest
    }

    private func fileDigest(_ path: String) throws -> String {
        let target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        let attributes = try? FileManager.default.attributesOfItem(atPath: target)
        let size = (attributes?[.size] as? NSNumber)?.intValue ?? -1
        let changed = (attributes?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
        let key = "\(path) \(size) \(changed)"
        if let digest = known.withLock({ $0[key] }) { return digest }
        let digest = try Self.read(path)
        let entries = known.withLock { entries in
            entries[key] = digest
            return entries
        }
        // Only large files are worth remembering on disk; failing to is no failure of the command.
        if let cachePath, size > 1 << 20 {
            let members = entries.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) }
            try? TextFile.write(JSON.object(JSONObject(members)).pretty, to: cachePath)
        }
        return digest
    }

    private static func read(_ path: String) throws -> String {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw Failure(
                .missingInput,
                file: path,
                "cannot be read",
                remedy: "Check its permissions."
            )
        }
        defer { try? file.close() }
        var hash = SHA256()
        do {
            while let block = try file.read(upToCount: 1 << 23), !block.isEmpty {
                hash.update(block)
            }
        } catch {
            throw Failure(.missingInput, file: path, "cannot be read", remedy: "Check the disk.")
        }
        return hash.hex()
    }
}
