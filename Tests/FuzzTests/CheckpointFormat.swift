import Basics
import Foundation
import Kernels
import Models
import TestSupport

@testable import Checkpoints

/// Checkpoints: damaged behind a seal that was made anew, as whoever means harm would.
struct CheckpointSubject: FuzzSubject {
    private let folder: String
    private let seeds: [(file: MarkedBytes, headers: [HDF5Headers.Header])]
    private let texts: TextMutator

    init(_ folder: String) throws {
        self.folder = folder
        let contents = try [TinyModel.checkpoint(.float32), TinyModel.checkpoint(.bfloat16)]
        seeds = try contents.map { content in
            let path = "\(folder)/seed.h5"
            try HDF5Checkpoint.write(content, to: path)
            let bytes = [UInt8](try TextFile.read(path))
            let headers = HDF5Headers.find(in: bytes)
            return (MarkedBytes(bytes, marks: HDF5Headers.marks(headers, in: bytes)), headers)
        }
        texts = TextMutator([contents[0].configuration.compact, contents[0].metadata.compact])
    }

    func input(_ random: inout SplitMix) -> [UInt8] {
        if random.isOne(in: 40), let bytes = try? otherText(&random) { return bytes }
        let seed = random.pick(seeds)
        var bytes = seed.file.bytes
        if random.isOne(in: 12) {
            bytes = ByteMutator(seeds: [seed.file]).next(&random)
        } else {
            for _ in 0..<1 + random.below(3) {
                let header = random.pick(seed.headers)
                var part = Array(bytes[header.range])
                let marks = seed.file.marks.filter { header.range.contains($0.offset) }.map {
                    MarkedBytes.Mark(offset: $0.offset - header.range.lowerBound, width: $0.width)
                }
                ByteMutator.overwrite(
                    &part,
                    marks.filter { $0.offset + $0.width <= part.count },
                    &random
                )
                bytes.replaceSubrange(header.range, with: part)
                HDF5Headers.renew(header, in: &bytes)
            }
        }
        if !random.isOne(in: 10) { Self.seal(&bytes) }
        return bytes
    }

    /// A file that is whole.
    static func whole(_ folder: String) throws -> [UInt8] {
        try HDF5Checkpoint.write(TinyModel.checkpoint(.float32), to: "\(folder)/whole.h5")
        return [UInt8](try TextFile.read("\(folder)/whole.h5"))
    }

    /// A sound file whose configuration or metadata is not.
    private func otherText(_ random: inout SplitMix) throws -> [UInt8] {
        var content = try TinyModel.checkpoint(.float32)
        let json = (try? JSON(parsing: Data(texts.next(&random)))) ?? .null
        if random.isOne(in: 2) { content.configuration = json } else { content.metadata = json }
        try HDF5Checkpoint.write(content, to: "\(folder)/other.h5")
        return [UInt8](try TextFile.read("\(folder)/other.h5"))
    }

    static func seal(_ bytes: inout [UInt8]) {
        guard bytes.count > CheckpointSeal.size else { return }
        var digest = SHA256()
        bytes.withUnsafeBytes {
            digest.update(UnsafeRawBufferPointer(rebasing: $0.dropFirst(CheckpointSeal.size)))
        }
        let block = CheckpointSeal.block(length: bytes.count, digest: digest.hex())
        bytes.replaceSubrange(0..<CheckpointSeal.size, with: block)
    }

    func use(_ input: [UInt8], _ random: inout SplitMix) throws {
        let path = "\(folder)/model.h5"
        try Data(input).write(to: URL(filePath: path))
        let checkpoint =
            try random.isOne(in: 2) ? HDF5Checkpoint.verify(path) : HDF5Checkpoint(path)
        for name in checkpoint.tensors.keys.sorted() { _ = try checkpoint.values(name) }
        if checkpoint.hasOptimizer {
            for name in checkpoint.tensors.keys.sorted().prefix(3) {
                _ = try? checkpoint.firstMoment(name)
                _ = try? checkpoint.secondMoment(name)
            }
        }
        try TinyModel.use(LanguageModel(path, storage: random.pick([.stored, .float32])), &random)
    }
}

/// Where an HDF5 file of the newer layouts keeps its structure, and the checksums over it.
///
/// Source: HDF5 File Format Specification 3.0, sections II.B and IV.A.
enum HDF5Headers {
    /// A stretch of structure, which may have a checksum in its last four bytes.
    struct Header {
        var range: Range<Int>
        var hasChecksum = true
    }

    /// How many bytes the structures with a signature take: header of a fractal heap, of a B-tree;
    /// where that depends on what is in them, a few, without the checksum.
    private static let sizes: [(signature: [UInt8], count: Int, hasChecksum: Bool)] = [
        ("FRHP", 146, true), ("BTHD", 38, true), ("OCHK", 64, false), ("BTLF", 64, false),
        ("FHDB", 64, false), ("FHIB", 64, false),
    ].map { (Array($0.0.utf8), $0.1, $0.2) }

    /// The superblock and everything that has a signature.
    static func find(in bytes: [UInt8]) -> [Header] {
        let start = [0x89] + Array("HDF\r\n\u{1A}\n".utf8)
        guard bytes.count >= 560, bytes[512..<520].elementsEqual(start) else { return [] }
        let others = (560..<bytes.count - 8).compactMap { place -> Header? in
            guard bytes[place] >= 0x42, bytes[place] <= 0x4F else { return nil }
            if bytes[place...].starts(with: "OHDR".utf8) { return objectHeader(bytes, place) }
            guard let size = sizes.first(where: { bytes[place...].starts(with: $0.signature) }),
                place + size.count <= bytes.count
            else { return nil }
            return Header(range: place..<place + size.count, hasChecksum: size.hasChecksum)
        }
        return [Header(range: 512..<560)] + others
    }

    /// An object header, whose size stands in it.
    private static func objectHeader(_ bytes: [UInt8], _ place: Int) -> Header? {
        let flags = Int(bytes[place + 5])
        let start = place + 6 + (flags & 0x20 != 0 ? 16 : 0) + (flags & 0x10 != 0 ? 4 : 0)
        let width = 1 << (flags & 3)
        guard start + width <= bytes.count else { return nil }
        let size = bytes[start..<start + width].reversed().reduce(0) { $0 << 8 | Int($1) }
        let end = start + width + size + 4
        return end <= bytes.count ? Header(range: place..<end) : nil
    }

    /// Every place in the headers where a number may begin.
    static func marks(_ headers: [Header], in bytes: [UInt8]) -> [MarkedBytes.Mark] {
        headers.flatMap { header in
            header.range.lowerBound..<header.range.upperBound - 4
        }.flatMap { offset in
            [1, 2, 4, 8].filter { offset + $0 <= bytes.count }
                .map { MarkedBytes.Mark(offset: offset, width: $0) }
        }
    }

    /// Makes the checksum fit what is there now.
    static func renew(_ header: Header, in bytes: inout [UInt8]) {
        guard header.hasChecksum else { return }
        let end = header.range.upperBound - 4
        let sum = checksum(bytes[header.range.lowerBound..<end])
        for index in 0..<4 {
            bytes[end + index] = UInt8(truncatingIfNeeded: sum >> (8 * UInt32(index)))
        }
    }

    /// Jenkins' lookup3 ("hashlittle") of some bytes, from 0.
    static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        func rotate(_ x: UInt32, _ k: UInt32) -> UInt32 { x << k | x >> (32 - k) }
        var a = 0xDEAD_BEEF &+ UInt32(truncatingIfNeeded: bytes.count)
        var (b, c) = (a, a)
        var rest = bytes
        func word(_ rest: ArraySlice<UInt8>, _ index: Int) -> UInt32 {
            rest.dropFirst(4 * index).prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
        }
        while rest.count > 12 {
            a &+= word(rest, 0)
            b &+= word(rest, 1)
            c &+= word(rest, 2)
            a = (a &- c) ^ rotate(c, 4)
            c &+= b
            b = (b &- a) ^ rotate(a, 6)
            a &+= c
            c = (c &- b) ^ rotate(b, 8)
            b &+= a
            a = (a &- c) ^ rotate(c, 16)
            c &+= b
            b = (b &- a) ^ rotate(a, 19)
            a &+= c
            c = (c &- b) ^ rotate(b, 4)
            b &+= a
            rest = rest.dropFirst(12)
        }
        guard !rest.isEmpty else { return c }
        a &+= word(rest, 0)
        b &+= word(rest, 1)
        c &+= word(rest, 2)
        for (x, k) in [(0, 14), (1, 11), (2, 25), (0, 16), (1, 4), (2, 14), (0, 24)]
            as [(Int, UInt32)]
        {
            switch x {
            case 0: c = (c ^ b) &- rotate(b, k)
            case 1: a = (a ^ c) &- rotate(c, k)
            default: b = (b ^ a) &- rotate(a, k)
            }
        }
        return c
    }
}
