import Foundation
import Storage

/// A digest of drawn data, which a test compares with that of another machine.
enum DataDigest {
    /// Returns the SHA-256 of values as JSON with sorted keys, followed by texts, one per line.
    static func of(
        _ values: some Encodable, _ texts: some Sequence<String>
    ) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        let lines = Data(texts.joined(separator: "\n").utf8)
        var digest = SHA256()
        digest.update(try encoder.encode(values))
        digest.update(lines)
        return digest.finished().hexadecimal
    }
}
