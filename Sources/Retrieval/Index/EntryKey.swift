import Storage
public import SystemPackage

/// Identifies an entry outside of the process for as long as its path stays the same, through
/// commits and compaction and in other indexes.
///
/// A key consists of 128 bits of the path's SHA-256. It hides nothing: anyone who has a path can
/// compute its key.
public struct EntryKey: Sendable, Hashable, CustomStringConvertible {
    private let words: SIMD2<UInt64>

    /// Creates the key of a path.
    public init(_ path: FilePath) {
        words = ContentDigest(of: path.bytes).firstHalf
    }

    /// Parses 32 lower-case hexadecimal digits; nil for any other text.
    public init?(hexadecimal text: String) {
        guard let bytes = [UInt8](hexadecimal: text), bytes.count == 16, bytes.hexadecimal == text
        else { return nil }
        words = bytes.withUnsafeBytes { $0.loadUnaligned(as: SIMD2<UInt64>.self) }
    }

    /// The key as 32 lower-case hexadecimal digits.
    public var description: String { withUnsafeBytes(of: words) { $0.hexadecimal } }

    /// The bits that tables are sorted by; two given keys share them with a probability of 2^-64.
    var prefix: UInt64 { words.x }
}
