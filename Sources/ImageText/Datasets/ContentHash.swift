/// A 128-bit fingerprint of bytes that finds damage and files that may be identical.
///
/// It is not a cryptographic hash. Each half mixes eight bytes at a time by multiplication and
/// rotation, with its own constants.
package struct ContentHash: Hashable, Sendable {
    private var first: UInt64 = 0x243F_6A88_85A3_08D3
    private var second: UInt64 = 0x1319_8A2E_0370_7344

    /// The first half, or 1 if it is 0, because 0 may stand for a missing fingerprint.
    package var word: UInt64 { first == 0 ? 1 : first }

    /// Creates the fingerprint of no bytes.
    package init() {}

    /// Creates the fingerprint of the given bytes.
    ///
    /// - Complexity: O(*n*) for *n* bytes.
    package init(_ bytes: UnsafeRawBufferPointer) {
        add(bytes)
    }

    /// Adds bytes and their count.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let whole = bytes.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) {
            mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
        }
        mix(bytes[whole...].reduce(0) { $0 << 8 | UInt64($1) })
        mix(UInt64(bytes.count))
    }

    /// Adds the UTF-8 bytes of a text, and their count.
    package mutating func add(_ text: String) {
        var text = text
        text.withUTF8 { add(UnsafeRawBufferPointer($0)) }
    }

    private mutating func mix(_ word: UInt64) {
        first = (first ^ word) &* 0x9E37_79B9_7F4A_7C15
        first = first << 29 | first >> 35
        second = (second &+ word) &* 0xD6E8_FEB8_6659_FD93
        second ^= second >> 32
    }
}
