import Foundation
public import SystemPackage

/// Texts to be searched, from a file.
///
/// In a file whose name ends in `.jsonl` a line is a JSON object, of which `text` is the text and
/// everything else metadata:
///
///     {"text": "a dog in the snow", "topic": "animals"}
///
/// In any other file a line is a text. Lines without a text are left out.
public struct TextListFile: Sendable {
    /// One text.
    public struct Line: Sendable, Hashable {
        /// The number of its line, from 1.
        public let number: Int
        /// The text.
        public let text: String
        /// What is known of it besides.
        public let metadata: [String: MetadataValue]
    }

    /// The file, an absolute path.
    public let path: FilePath
    /// Its texts.
    public let lines: [Line]

    /// Reads a file.
    ///
    /// - Throws: ``MetadataError`` that names the file, the line and what is wrong with it.
    public init(_ file: FilePath) throws(MetadataError) {
        path = file.absolute
        let bytes: [UInt8]
        do {
            bytes = try file.contents()
        } catch {
            throw MetadataError(description: "\(file): cannot read it: \(error)")
        }
        let isJSON = file.extension == "jsonl"
        var lines: [Line] = []
        let all = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in all.enumerated() {
            guard let line = String(validating: bytes, as: UTF8.self) else {
                throw MetadataError(description: "\(file):\(index + 1): is not UTF-8")
            }
            var text = line
            var metadata: [String: MetadataValue] = [:]
            if isJSON, !line.allSatisfy(\.isWhitespace) {
                do {
                    metadata = try JSONDecoder().decode(
                        [String: MetadataValue].self, from: Data(bytes))
                } catch {
                    let reason = (error as? DecodingError)?.reason ?? "\(error)"
                    throw MetadataError(description: "\(file):\(index + 1): \(reason)")
                }
                guard case .text(let value)? = metadata.removeValue(forKey: "text") else {
                    throw MetadataError(description: "\(file):\(index + 1): 'text' is missing")
                }
                text = value
            }
            text = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !text.isEmpty else { continue }
            lines.append(Line(number: index + 1, text: text, metadata: metadata))
        }
        self.lines = lines
    }
}
