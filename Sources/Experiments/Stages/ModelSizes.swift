import Basics
import Checkpoints
import Foundation
import Models
import Synchronization

/// How large models on disk are, read from the headers of their files.
enum ModelSizes {
    /// A model's shape, and the bytes of its weights as stored; nil where they are not known.
    typealias Size = (shape: ModelConfiguration, storedBytes: Int?)

    private static let known = Mutex<[String: Size]>([:])

    /// The size of the model at a path, each read once: the variants of a sweep ask for the same.
    ///
    /// - Returns: nil where nothing is there.
    /// - Throws: `Failure` for files that hold no model.
    static func size(of path: String) throws -> Size? {
        guard FileManager.default.fileExists(atPath: path) else { return nil }
        if let size = known.withLock({ $0[path] }) { return size }
        let files = try ModelFiles.open(path)
        let shape: ModelConfiguration
        do { shape = try ModelConfiguration(files.configuration) } catch let failure as Failure {
            throw failure.inFile(path)
        }
        let size = (shape, bytes(of: path))
        known.withLock { $0[path] = size }
        return size
    }

    /// The bytes of a file with all parts that it is split into, or of a folder's weights.
    static func bytes(of path: String) -> Int? {
        let manager = FileManager.default
        let target = URL(filePath: path).resolvingSymlinksInPath().path(percentEncoded: false)
        let names = (try? manager.contentsOfDirectory(atPath: target)) ?? []
        let weights = names.filter { $0.hasSuffix(".safetensors") }.map { "\(target)/\($0)" }
        let files = weights.isEmpty ? GGUFFile.parts(ofModelAt: path) : weights
        let sizes = files.map { file -> Int? in
            let resolved = URL(filePath: file).resolvingSymlinksInPath()
            let attributes = try? manager.attributesOfItem(
                atPath: resolved.path(percentEncoded: false)
            )
            return (attributes?[.size] as? NSNumber)?.intValue
        }
        guard !sizes.contains(nil) else { return nil }
        return sizes.compactMap(\.self).reduce(0, +)
    }
}
