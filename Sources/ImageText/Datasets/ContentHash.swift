/// A 128-bit fingerprint of bytes, to find files that may be identical; not a cryptographic one.
///
/// Each half mixes eight bytes at a time by multiplication and rotation, with constants of its own.
struct ContentHash: Hashable, Sendable {
    private var first: UInt64 = 0x243F_6A88_85A3_08D3
    private var second: UInt64 = 0x1319_8A2E_0370_7344

    init(_ bytes: [UInt8]) {
        bytes.withUnsafeBytes { buffer in
            let whole = buffer.count & ~7
            for offset in stride(from: 0, to: whole, by: 8) {
                mix(buffer.loadUnaligned(fromByteOffset: offset, as: UInt64.self).littleEndian)
            }
            var rest: UInt64 = 0
            for byte in buffer[whole...] { rest = rest << 8 | UInt64(byte) }
            mix(rest)
            mix(UInt64(buffer.count))
        }
    }

    private mutating func mix(_ word: UInt64) {
        first = (first ^ word) &* 0x9E37_79B9_7F4A_7C15
        first = first << 29 | first >> 35
        second = (second &+ word) &* 0xD6E8_FEB8_6659_FD93
        second ^= second >> 32
    }
}
