/// What a file's first bytes say that it is, where text was expected.
enum FileSignature {
    /// A format, how it begins, and what to do with such a file.
    private typealias Format = (name: String, start: [UInt8], remedy: String)

    private static func unpack(_ program: String) -> String { "Unpack it first: \(program)." }
    private static let tables =
        "Write its rows as JSON Lines, one object a line; in Python: "
        + "pandas.read_parquet(FILE).to_json(NEW, orient=\"records\", lines=True)."
    private static let encode = "Write it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE > NEW."
    private static let other = "Give the file that holds the records as text."

    // UTF-32 begins as UTF-16 does, so it stands first.
    private static let formats: [Format] = [
        (
            "UTF-32 text", [0xFF, 0xFE, 0, 0],
            encode.replacing("UTF-16", with: "UTF-32")
        ),
        ("UTF-32 text", [0, 0, 0xFE, 0xFF], encode.replacing("UTF-16", with: "UTF-32")),
        ("UTF-16 text", [0xFF, 0xFE], encode), ("UTF-16 text", [0xFE, 0xFF], encode),
        ("a Parquet file", Array("PAR1".utf8), tables),
        ("an Arrow file", Array("ARROW1".utf8), tables.replacing("parquet", with: "feather")),
        ("a gzip file", [0x1F, 0x8B], unpack("gunzip")),
        ("a zip file", [0x50, 0x4B, 0x03, 0x04], unpack("unzip")),
        ("a Zstandard file", [0x28, 0xB5, 0x2F, 0xFD], unpack("zstd -d")),
        ("an xz file", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0], unpack("unxz")),
        ("a bzip2 file", Array("BZh".utf8), unpack("bunzip2")),
        ("a 7z file", [0x37, 0x7A, 0xBC, 0xAF, 0x27, 0x1C], unpack("7z x")),
        ("an HDF5 file", [0x89, 0x48, 0x44, 0x46], other),
        ("a GGUF file, a model", Array("GGUF".utf8), other),
        ("a NumPy file", [0x93] + Array("NUMPY".utf8), other),
        ("a SQLite database", Array("SQLite format 3".utf8), other),
        ("a PDF file", Array("%PDF".utf8), other),
        ("a pickle file", [0x80, 0x02], other), ("a pickle file", [0x80, 0x03], other),
        ("a pickle file", [0x80, 0x04], other), ("a pickle file", [0x80, 0x05], other),
        (
            "a Git LFS pointer, not the file that it stands for",
            Array("version https://git-lfs".utf8), "Fetch the file: git lfs pull."
        ),
    ]

    private static let page = "Download the file itself; this may be a page about it or a notice."

    /// Why a file that begins like this is no text that we read, or nil.
    static func failure(_ start: ArraySlice<UInt8>, expected: String) -> Failure? {
        func found(_ name: String, _ remedy: String) -> Failure {
            Failure(.badData, "is \(name); expected \(expected)", remedy: remedy)
        }
        if let format = formats.first(where: { start.starts(with: $0.start) }) {
            return found(format.name, format.remedy)
        }
        // UTF-16 without a byte-order mark: every other byte of ASCII text is 0.
        let head = Array(start.prefix(4))
        if head.count == 4, (head[0] == 0) == (head[2] == 0), (head[1] == 0) == (head[3] == 0),
            (head[0] == 0) != (head[1] == 0)
        {
            let order = head[0] == 0 ? "UTF-16BE" : "UTF-16LE"
            return found("UTF-16 text", encode.replacing("UTF-16", with: order))
        }
        let first = start.drop { $0 <= 0x20 }.prefix(14)
        let word = String(decoding: first, as: UTF8.self).lowercased()
        if word.hasPrefix("<!doctype html") || word.hasPrefix("<html") {
            return found("an HTML page", page)
        }
        return nil
    }
}
