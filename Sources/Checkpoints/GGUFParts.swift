import Basics
import Foundation

/// The files that a GGUF model is split over: `NAME-00001-of-00003.gguf` and so on, or one file.
///
/// The first part has the metadata; every part has the table of its tensors.
/// Source: llama.cpp, tools/gguf-split, and gguf-py, `Keys.Split`.
struct GGUFParts {
    /// The parts in their order.
    let parts: [(file: MappedFile, header: GGUFHeader)]

    /// Opens the model that a file belongs to, whichever of its parts that is.
    ///
    /// - Throws: `Failure.missingInput` for a part that is not there, `Failure.badData` for one that
    ///   belongs to another model or whose name does not lead to the others.
    init(_ path: String) throws {
        let file = try MappedFile(path)
        let header = try GGUFHeader(file)
        guard let (index, count) = try GGUFParts.place(header, path), count > 1 else {
            parts = [(file, header)]
            return
        }
        let paths = GGUFParts.paths(path)
        guard paths.count == count, paths[index] == path else {
            throw Failure(
                .badData,
                file: path,
                "is part \(index + 1) of \(count) of a split model, and its name does not end in "
                    + "'\(GGUFParts.ending(index, count))', so the other parts cannot be found",
                remedy: "Keep all parts in one folder under their published names, or join them: "
                    + "llama-gguf-split --merge FIRST-PART OUTPUT.gguf"
            )
        }
        var parts: [(file: MappedFile, header: GGUFHeader)] = []
        for (number, other) in paths.enumerated() {
            guard number != index else {
                parts.append((file, header))
                continue
            }
            guard FileManager.default.fileExists(atPath: other) else {
                throw Failure(
                    .missingInput,
                    file: other,
                    "no such file; it is part \(number + 1) of \(count) of the model in \(path)",
                    remedy: "Put all parts into one folder."
                )
            }
            let part = try MappedFile(other)
            let header = try GGUFHeader(part)
            guard let place = try GGUFParts.place(header, other), place == (number, count) else {
                throw Failure(
                    .badData,
                    file: other,
                    at: "metadata 'split.no'",
                    "is not part \(number + 1) of \(count), as its name says"
                )
            }
            parts.append((part, header))
        }
        self.parts = parts
        let expected = parts[0].header.metadata["split.tensors.count"]?.integer
        let found = parts.reduce(0) { $0 + $1.header.tensors.count }
        guard expected == nil || expected == found else {
            throw Failure(
                .badData,
                file: paths[0],
                at: "metadata 'split.tensors.count'",
                "found \(expected ?? 0); the \(count) parts hold \(found) tensors"
            )
        }
    }

    /// Which part a file says it is, from 0, and of how many; nil for a file that is no part.
    private static func place(_ header: GGUFHeader, _ path: String) throws -> (Int, Int)? {
        guard let count = header.metadata["split.count"] else { return nil }
        let index = header.metadata["split.no"]?.integer
        guard let count = count.integer, let index, (0...99999).contains(count),
            (0..<max(count, 1)).contains(index)
        else {
            throw Failure(
                .badData,
                file: path,
                at: "metadata 'split.no'",
                "found \(index.map(String.init) ?? "nothing") of "
                    + "\(count.integer.map(String.init) ?? count.kindName); expected a part's number"
            )
        }
        return (index, count)
    }

    private static func ending(_ index: Int, _ count: Int) -> String {
        "-\(digits(index + 1))-of-\(digits(count)).gguf"
    }

    private static func digits(_ number: Int) -> String {
        String(repeating: "0", count: max(0, 5 - String(number).count)) + String(number)
    }

    /// The paths of all parts, by the name of one of them; that path alone when it is no part's.
    static func paths(_ path: String) -> [String] {
        guard let (stem, index, count) = parse(path), count > 1, (1...count).contains(index) else {
            return [path]
        }
        return (0..<count).map { stem + ending($0, count) }
    }

    /// Takes `STEM-00001-of-00002.gguf` apart.
    private static func parse(_ path: String) -> (stem: String, index: Int, count: Int)? {
        guard path.hasSuffix(".gguf") else { return nil }
        let fields = path.dropLast(".gguf".count).split(
            separator: "-",
            omittingEmptySubsequences: false
        )
        guard fields.count >= 4, fields[fields.count - 2] == "of" else { return nil }
        let numbers = [fields[fields.count - 3], fields[fields.count - 1]].map { field in
            field.count == 5 && field.utf8.allSatisfy { (0x30...0x39).contains($0) }
                ? Int(field) : nil
        }
        guard let index = numbers[0], let count = numbers[1] else { return nil }
        return (fields.dropLast(3).joined(separator: "-"), index, count)
    }
}

extension GGUFFile {
    /// The files of the model that a GGUF file belongs to, by its name: several where it is split.
    public static func parts(ofModelAt path: String) -> [String] { GGUFParts.paths(path) }
}
