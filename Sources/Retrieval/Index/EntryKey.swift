import Crypto
public import SystemPackage

/// Names an entry outside of the process, for as long as its path stays the same: through commits,
/// compaction and other indexes alike.
///
/// 128 bits of the SHA-256 of the path. It hides nothing: who knows a path can compute its key.
public struct EntryKey: Sendable, Hashable, CustomStringConvertible {
    private let words: SIMD2<UInt64>

    /// The key of a path.
    public init(_ path: FilePath) {
        words = SHA256.hash(data: path.bytes).withUnsafeBytes {
            $0.loadUnaligned(as: SIMD2<UInt64>.self)
        }
    }

    /// Reads 32 lower-case hexadecimal digits; nil if the text is anything else.
    public init?(hexadecimal text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 32 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: 32, by: 2) {
            guard let high = Self.value(digits[start]), let low = Self.value(digits[start + 1])
            else { return nil }
            bytes.append(high << 4 | low)
        }
        words = bytes.withUnsafeBytes { $0.loadUnaligned(as: SIMD2<UInt64>.self) }
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String { withUnsafeBytes(of: words) { $0.hexadecimal } }

    /// What a table is sorted by; two keys share it once in 2^64.
    var prefix: UInt64 { words.x }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
