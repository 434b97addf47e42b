import Storage
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
        guard let bytes = [UInt8](hexadecimal: text), bytes.count == 16, bytes.hexadecimal == text
        else { return nil }
        words = bytes.withUnsafeBytes { $0.loadUnaligned(as: SIMD2<UInt64>.self) }
    }

    /// 32 lower-case hexadecimal digits.
    public var description: String { withUnsafeBytes(of: words) { $0.hexadecimal } }

    /// What a table is sorted by; two keys share it once in 2^64.
    var prefix: UInt64 { words.x }
}
