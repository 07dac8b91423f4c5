import Basics
import Foundation
import Testing

@testable import Basics

@Suite struct DigestTests {
    /// Examples of FIPS 180-4 as published by NIST (SHA256.pdf), and a million letters.
    static let vectors: [(String, String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            String(repeating: "a", count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test(arguments: vectors.indices, [false, true])
    func matchesPublishedVectors(_ index: Int, portable: Bool) {
        var digest = SHA256(portable: portable)
        digest.update(Self.vectors[index].0)
        #expect(digest.hex() == Self.vectors[index].1)
    }

    @Test func piecesGiveTheSameDigest() {
        let bytes = Data((0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) })
        for piece in [1, 3, 63, 64, 65, 130] {
            var digest = SHA256()
            for start in stride(from: 0, to: bytes.count, by: piece) {
                digest.update(bytes[start..<min(start + piece, bytes.count)])
            }
            #expect(digest.hex() == SHA256.hex(of: bytes), "pieces of \(piece)")
        }
    }
}
