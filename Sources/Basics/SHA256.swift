import CKernels
import Foundation

/// SHA-256 of a stream of bytes (FIPS 180-4).
public struct SHA256: Sendable {
    private var state: [UInt32] = [
        0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
        0x5be0_cd19,
    ]
    private var tail: [UInt8] = []
    private var length: UInt64 = 0
    private let portable: Bool

    /// Starts a digest.
    public init() { portable = false }

    /// Starts a digest that keeps to the plain kernel.
    init(portable: Bool) { self.portable = portable }

    /// Appends bytes.
    public mutating func update(_ bytes: UnsafeRawBufferPointer) {
        length += UInt64(bytes.count)
        var rest = bytes
        if !tail.isEmpty {
            let missing = min(64 - tail.count, rest.count)
            tail.append(contentsOf: rest.prefix(missing))
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(missing))
            guard tail.count == 64 else { return }
            tail.withUnsafeBufferPointer { compress($0, into: &state) }
            tail.removeAll(keepingCapacity: true)
        }
        let whole = rest.count / 64 * 64
        if whole > 0 {
            compress(
                UnsafeBufferPointer(
                    start: rest.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    count: whole
                ),
                into: &state
            )
        }
        tail.append(contentsOf: rest.dropFirst(whole))
    }

    private func compress(_ bytes: UnsafeBufferPointer<UInt8>, into state: inout [UInt32]) {
        guard let base = bytes.baseAddress else { return }
        ck_sha256_blocks(&state, base, bytes.count / 64, portable)
    }

    /// Appends bytes of a mapped file, letting go of its pages as it passes them.
    public mutating func update(mapped bytes: UnsafeRawBufferPointer) {
        var rest = bytes
        while let start = rest.baseAddress, !rest.isEmpty {
            let part = UnsafeRawBufferPointer(start: start, count: min(rest.count, 64 << 20))
            update(part)
            ck_release_pages(start, part.count)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
        }
    }

    /// Appends data.
    public mutating func update(_ data: Data) { data.withUnsafeBytes { update($0) } }

    /// Appends a text's UTF-8 bytes.
    public mutating func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The 32 bytes of the digest of everything appended so far.
    public func digest() -> [UInt8] {
        var copy = self
        let bits = length * 8
        let zeros = (119 - Int(length % 64)) % 64
        let padding =
            [0x80] + [UInt8](repeating: 0, count: zeros)
            + (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) }
        padding.withUnsafeBytes { copy.update($0) }
        return copy.state.flatMap { word in
            (0..<4).map { UInt8(truncatingIfNeeded: word >> (24 - 8 * $0)) }
        }
    }

    /// The first 64 bits of the digest, the first byte highest.
    func leadingBits() -> UInt64 { digest().prefix(8).reduce(0) { $0 << 8 | UInt64($1) } }

    /// The digest in lower-case hexadecimal.
    public func hex() -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: digest().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
            as: UTF8.self
        )
    }

    /// The digest of some data, in lower-case hexadecimal.
    public static func hex(of data: Data) -> String {
        var digest = SHA256()
        digest.update(data)
        return digest.hex()
    }
}
