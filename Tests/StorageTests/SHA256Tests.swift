import CSHA256
import Storage
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    @Test(
        "Digests are those of FIPS 180-4's examples",
        arguments: [
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
        ])
    func examples(_ text: String, _ expected: String) {
        let bytes = Array(text.utf8)
        #expect(ContentDigest(of: bytes).hexadecimal == expected)
        #expect(Self.portable(bytes) == expected)
    }

    @Test("The processor's instructions and the portable form agree, at every length and division")
    func divisions() {
        var random = SystemRandomNumberGenerator()
        for length in 0..<300 {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
            let expected = Self.portable(bytes)
            #expect(ContentDigest(of: bytes).hexadecimal == expected, "\(bytes)")
            var digest = SHA256()
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...min(rest.count, 80), using: &random)
                digest.update(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(digest.finished().hexadecimal == expected, "\(bytes)")
        }
    }

    @Test("A digest can be read before more bytes follow")
    func continued() {
        var digest = SHA256()
        digest.update(Array("ab".utf8))
        #expect(digest.finished() == ContentDigest(of: Array("ab".utf8)))
        digest.update(Array("c".utf8))
        #expect(digest.finished() == ContentDigest(of: Array("abc".utf8)))
    }

    /// Computes a digest by the portable form alone.
    private static func portable(_ bytes: [UInt8]) -> String {
        var state = sha256_state()
        sha256_begin(&state)
        var padded = bytes + [0x80]
        padded += [UInt8](repeating: 0, count: (120 - padded.count % 64) % 64)
        padded += withUnsafeBytes(of: UInt64(bytes.count * 8).bigEndian) { Array($0) }
        return withUnsafeMutableBytes(of: &state.words) { words in
            sha256_blocks_portable(
                words.assumingMemoryBound(to: UInt32.self).baseAddress, padded, padded.count / 64)
            return words.assumingMemoryBound(to: UInt32.self).map { word in
                withUnsafeBytes(of: word.bigEndian) { $0.hexadecimal }
            }.joined()
        }
    }
}
