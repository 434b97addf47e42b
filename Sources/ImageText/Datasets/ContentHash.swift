/// A 128-bit fingerprint of bytes: finds files that may be identical, and damage.
///
/// It is not a cryptographic one. Each half mixes eight bytes at a time by multiplication and rotation, with constants of its own.
package struct ContentHash: Hashable, Sendable {
    private var first: UInt64 = 0x243F_6A88_85A3_08D3
    private var second: UInt64 = 0x1319_8A2E_0370_7344

    /// The first half; 1 instead of 0, which may stand for a fingerprint that is not there.
    package var word: UInt64 { first == 0 ? 1 : first }

    package init() {}

    package init(_ bytes: UnsafeRawBufferPointer) {
        add(bytes)
    }

    /// Adds bytes, and how many they were.
    package mutating func add(_ bytes: UnsafeRawBufferPointer) {
        let whole = bytes.count & ~7
        for offset in stride(from: 0, to: whole, by: 8) {
            mix(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
        }
        mix(bytes[whole...].reduce(0) { $0 << 8 | UInt64($1) })
        mix(UInt64(bytes.count))
    }

    /// Adds text.
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
