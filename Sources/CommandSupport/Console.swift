import Foundation
import Retrieval
import Storage
package import SystemPackage

/// Output to the terminal: results go to standard output, everything else to standard error.
package enum Console {
    /// Writes a line of a result to standard output.
    package static func result(_ line: String) { write(line + "\n", to: .standardOutput) }

    /// Writes a remark to standard error.
    package static func note(_ line: String) { write(line + "\n", to: .standardError) }

    /// Writes a result as JSON.
    package static func json(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        result(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    /// Writes a result as one line of JSON.
    package static func jsonLine(_ value: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        result(String(decoding: try encoder.encode(value), as: UTF8.self))
    }

    package static func write(_ text: String, to descriptor: FileDescriptor) {
        // A reader that closes the pipe early (`albef … | head`) is not an error.
        _ = try? descriptor.writeAll(text.utf8)
    }

    /// Whether standard error is a terminal.
    package static var isInteractive: Bool {
        isatty(FileDescriptor.standardError.rawValue) != 0
    }
}

extension FilePath {
    /// The path as text.
    ///
    /// It is relative inside the current folder. Control characters are escaped, and bytes that are
    /// not UTF-8 appear as `\xNN`.
    package var displayed: String {
        var path = self
        _ = path.removePrefix(.currentDirectory)
        let bytes = path.bytes
        if let text = String(validating: path) { return text.displayed }
        return bytes.map { byte in
            (0x20..<0x7f).contains(byte)
                ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
        }.joined()
    }
}

/// A path in JSON: its text, and its exact bytes in base 64 if they are not UTF-8.
package struct JSONPath: Encodable {
    package let path: FilePath

    package init(path: FilePath) {
        self.path = path
    }

    private enum Key: String, CodingKey {
        case path
        case bytes = "path_base64"
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(path.string, forKey: .path)
        if String(validating: path) == nil { try container.encode(path.bytes, forKey: .bytes) }
    }
}
