import Basics
import Checkpoints
import Foundation
import Kernels
import Synchronization

/// SHA-256 digests of input files, remembered by path, file, size and times of change.
///
/// Model files are gigabytes; without the memory every command would read all of them first.
public final class InputDigests: Sendable {
    private let cachePath: String?
    private let known: Mutex<[String: String]>
    private let saving = Mutex<Void>(())
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
    /// A chat template in a file of its own is one of them where prompts are made by it.
    /// - Throws: `Failure.missingInput`, with `source` as the remedy.
    public func digest(of path: String, source: String? = nil, withTemplate: Bool = false) throws
        -> String
    {
        var isFolder: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
            throw Failure(.missingInput, file: path, "no such file or folder", remedy: source)
        }
        guard isFolder.boolValue else {
            let parts = GGUFFile.parts(ofModelAt: path)
            let digests = try fileDigests(parts.count == 1 ? [path] : parts)
            return digests.count == 1 ? digests[0] : Self.digest(of: digests)
        }
        let names = ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? [])
            .filter { name in
                name.hasSuffix(".json") || name.hasSuffix(".safetensors")
                    || withTemplate && name == "chat_template.jinja"
            }.sorted()
        guard !names.isEmpty else {
            throw Failure(
                .missingInput,
                file: path,
                "holds no .json and .safetensors files; expected a Hugging Face folder",
                remedy: source
            )
        }
        let digests = try fileDigests(names.map { "\(path)/\($0)" })
        return Self.digest(of: zip(names, digests).map { "\($0) \($1)" })
    }

    private static func digest(of lines: [String]) -> String {
        var hash = SHA256()
        for line in lines { hash.update("\(line)\n") }
        return hash.hex()
    }

    /// A digest that is computed once in the life of this object, under a name of the caller's.
    func digest(named name: String, _ compute: () throws -> String) rethrows -> String {
        if let digest = computed.withLock({ $0[name] }) { return digest }
        let digest = try compute()
        computed.withLock { $0[name] = digest }
        return digest
    }

    /// The digests of some files, which threads read side by side.
    private func fileDigests(_ paths: [String]) throws -> [String] {
        try ThreadPool.map(paths, grain: 1) { path in Result { try fileDigest(path) } }
            .map { try $0.get() }
    }

    private func fileDigest(_ path: String) throws -> String {
        let file = try InputFile.open(path)
        defer { try? file.close() }
        let (identity, size) = Self.identity(file.fileDescriptor)
        let key = "\(path) \(identity)"
        if let digest = known.withLock({ $0[key] }) { return digest }
        let digest = try Self.read(file, path)
        // What changed meanwhile is neither the old file nor the new one.
        guard Self.identity(file.fileDescriptor).text == identity else { return digest }
        known.withLock { entries in
            entries = entries.filter { !$0.key.hasPrefix(path + " ") }
            entries[key] = digest
        }
        // Only large files are worth remembering on disk; failing to is no failure of the command.
        if let cachePath, size > 1 << 20 {
            saving.withLock { _ in
                let members = known.withLock { $0 }.sorted { $0.key < $1.key }
                    .map { ($0.key, JSON.string($0.value)) }
                try? TextFile.write(JSON.object(JSONObject(members)).pretty, to: cachePath)
            }
        }
        return digest
    }

    /// Which file an open one is and when it last changed.
    ///
    /// The time of the last change of content can be set by anybody (`touch`, `cp -p`, `rsync`), that
    /// of its entry cannot.
    private static func identity(_ descriptor: Int32) -> (text: String, size: Int) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return ("", -1) }
        #if os(Linux)
            let (content, entry) = (status.st_mtim, status.st_ctim)
        #else
            let (content, entry) = (status.st_mtimespec, status.st_ctimespec)
        #endif
        func text(_ time: timespec) -> String { "\(time.tv_sec).\(time.tv_nsec)" }
        let text =
            "\(status.st_ino) \(status.st_size) \(text(content)) \(text(entry))"
        return (text, Int(status.st_size))
    }

    /// The digest of a file's bytes, without any memory.
    ///
    /// - Throws: `Failure.missingInput`.
    static func read(_ path: String) throws -> String {
        let file = try InputFile.open(path)
        defer { try? file.close() }
        return try read(file, path)
    }

    private static func read(_ file: FileHandle, _ path: String) throws -> String {
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
