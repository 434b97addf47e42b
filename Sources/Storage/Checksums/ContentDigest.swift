/// A SHA-256 digest, such as that of a file's bytes.
package struct ContentDigest: Sendable, Hashable {
    /// The length of a digest in bytes.
    package static let byteCount = 32

    private let words: SIMD4<UInt64>

    /// Creates a digest from its 32 bytes, eight per number in their order in memory.
    init(words: SIMD4<UInt64>) { self.words = words }

    /// Creates a digest from the 32 bytes at an address, which need not be aligned.
    package init(_ bytes: UnsafeRawPointer) {
        words = bytes.loadUnaligned(as: SIMD4<UInt64>.self)
    }

    /// Computes the digest of `bytes`.
    package init(of bytes: some Sequence<UInt8>) {
        var digest = SHA256()
        digest.update(bytes)
        self = digest.finished()
    }

    /// Creates a digest from 64 hexadecimal digits; nil if the text is anything else.
    package init?(hexadecimal text: String) {
        guard let bytes = [UInt8](hexadecimal: text), bytes.count == Self.byteCount else {
            return nil
        }
        words = bytes.withUnsafeBytes { $0.loadUnaligned(as: SIMD4<UInt64>.self) }
    }

    /// The 32 bytes of the digest.
    package var bytes: [UInt8] { withUnsafeBytes(of: words) { Array($0) } }

    /// The first 8 bytes of the digest as a big-endian number.
    package var firstWord: UInt64 { UInt64(bigEndian: words[0]) }

    /// The first 16 bytes of the digest, eight per number in their order in memory.
    package var firstHalf: SIMD2<UInt64> { words.lowHalf }

    /// The digest in lower-case hexadecimal.
    package var hexadecimal: String { bytes.hexadecimal }
}

extension MappedFile {
    /// The SHA-256 digest of the whole file, in lower-case hexadecimal.
    ///
    /// - Complexity: O(n) for a file of n bytes; reads all of it on every access.
    package var sha256: String {
        withUnsafeBytes { bytes in
            var digest = SHA256()
            digest.update(bytes)
            return digest.finished().hexadecimal
        }
    }
}

extension Sequence<UInt8> {
    /// The bytes in lower-case hexadecimal.
    package var hexadecimal: String {
        let digits = Array("0123456789abcdef")
        return String(flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

extension [UInt8] {
    /// Creates bytes from pairs of hexadecimal digits; nil if the text is anything else.
    package init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        self = []
        for start in stride(from: 0, to: digits.count, by: 2) {
            let pair = String(decoding: digits[start...start + 1], as: UTF8.self)
            guard let byte = UInt8(pair, radix: 16) else { return nil }
            append(byte)
        }
    }
}
