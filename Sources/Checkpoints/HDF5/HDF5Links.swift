import Basics

/// A member of a group.
struct HDF5Link {
    var name: String
    /// Where its object's header is; nil for a soft or an external link.
    var address: UInt64?

    /// Reads a link message, which stands in a group's header or in its heap.
    init(_ cursor: HDF5Cursor) throws {
        var cursor = cursor
        try cursor.expect(1, 1, "link version")
        let flags = try cursor.number(1)
        guard flags & 0xE0 == 0 else { throw cursor.failure("unknown flags \(flags) of a link") }
        let type = flags & 8 != 0 ? try cursor.number(1) : 0
        if flags & 4 != 0 { _ = try cursor.bytes(8) }
        if flags & 16 != 0 { _ = try cursor.bytes(1) }
        let length = try cursor.number(1 << Int(flags & 3))
        guard length > 0, length <= UInt64(cursor.remaining),
            let name = String(validating: try cursor.bytes(Int(length)), as: UTF8.self)
        else { throw cursor.failure("a link's name of \(length) bytes; expected UTF-8") }
        self.name = name
        address = type == 0 ? try cursor.address() : nil
        guard type != 0 || address != nil else { throw cursor.failure("a link to nowhere") }
    }
}

extension HDF5Object {
    /// The members of a group in the order of their names.
    ///
    /// A few stand in its header; many in a heap with a B-tree that lists them.
    /// - Throws: `Failure.badData` with the place.
    func links(in file: HDF5Bytes) throws -> [HDF5Link] {
        var links = try messages.filter { $0.kind == .link }.map { try HDF5Link($0.content) }
        if var info = try only(.linkInfo) {
            try info.expect(0, 1, "link info version")
            let flags = try info.number(1)
            if flags & 1 != 0 { _ = try info.bytes(8) }
            if let heap = try info.address() {
                guard let tree = try info.address() else {
                    throw info.failure("a heap of links without a B-tree")
                }
                let heap = try HDF5Heap(at: heap, in: file)
                let records = try HDF5Tree(at: tree, in: file, identifierSize: heap.identifierSize)
                links += try records.identifiers.map { try HDF5Link(heap.object($0)) }
            }
        }
        links.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for (link, next) in zip(links, links.dropFirst())
        where link.name.utf8.elementsEqual(next.name.utf8) {
            throw Failure(
                .badData,
                file: file.file.path,
                at: "link '\(link.name)'",
                "the name occurs twice"
            )
        }
        return links
    }
}

/// The B-tree that lists a group's links (version 2, type 5: by the hash of the name).
struct HDF5Tree {
    /// Where each link is in the heap.
    private(set) var identifiers: [HDF5Cursor] = []

    private let file: HDF5Bytes
    private let nodeSize: Int
    private let recordSize: Int
    /// Bytes of the count of records of a node, by its height above the leaves, and of all below.
    private var countSizes: [(direct: Int, total: Int)] = []

    init(at address: UInt64, in file: HDF5Bytes, identifierSize: Int) throws {
        self.file = file
        var header = try file.block(at: address, length: 38, "the B-tree of links")
        let start = header.position
        try header.begin("BTHD", version: 0)
        try header.expect(5, 1, "B-tree type")
        nodeSize = try header.small(4)
        recordSize = 4 + identifierSize
        try header.expect(UInt64(recordSize), 2, "record size")
        let depth = try header.small(2)
        _ = try header.bytes(2)
        let root = try header.address()
        let count = try header.small(2)
        let total = try header.number(8)
        try header.checksum(from: start)
        guard nodeSize <= 1 << 20, depth <= 8, nodeSize > 10 + 2 * recordSize + 32 else {
            throw header.failure("nodes of \(nodeSize) bytes, \(depth) deep")
        }
        measure(depth)
        if let root, count > 0 { try read(root, records: count, height: depth) }
        guard UInt64(identifiers.count) == total else {
            throw header.failure("\(identifiers.count) links; it says \(total)")
        }
    }

    /// The sizes of counts follow from how many records a node can hold.
    private mutating func measure(_ depth: Int) {
        func bytes(_ most: Int) -> Int { (Int.bitWidth - most.leadingZeroBitCount - 1) / 8 + 1 }
        var most = (nodeSize - 10) / recordSize
        var (all, allSize) = (most, 0)
        let ownSize = bytes(most)
        for _ in 0...depth {
            countSizes.append((ownSize, allSize))
            let pointer = 8 + ownSize + allSize
            most = (nodeSize - 10 - pointer) / (recordSize + pointer)
            all = (most + 1).multipliedReportingOverflow(by: all).partialValue &+ most
            allSize = bytes(max(all, 1))
        }
    }

    private mutating func read(_ address: UInt64, records: Int, height: Int) throws {
        var node = try file.block(at: address, length: UInt64(nodeSize), "a node of the B-tree")
        let start = node.position
        try node.begin(height == 0 ? "BTLF" : "BTIN", version: 0)
        try node.expect(5, 1, "B-tree type")
        for _ in 0..<records {
            _ = try node.bytes(4)
            identifiers.append(try node.part(recordSize - 4))
        }
        guard height > 0 else { return try node.checksum(from: start) }
        let sizes = countSizes[height - 1]
        var children: [(UInt64, Int)] = []
        for _ in 0...records {
            guard let child = try node.address() else { throw node.failure("a missing child") }
            children.append((child, try node.small(sizes.direct)))
            if height > 1 { _ = try node.bytes(sizes.total) }
        }
        try node.checksum(from: start)
        for (child, count) in children { try read(child, records: count, height: height - 1) }
    }
}
