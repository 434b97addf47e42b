import Foundation
public import SystemPackage

/// Texts to be searched, from a file.
///
/// In a file whose name ends in `.jsonl` a line is a JSON object; `text` is the text and everything
/// else is metadata:
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
        let isJSON = file.extension == "jsonl"
        var lines: [Line] = []
        for line in try MetadataLine.lines(of: file) {
            guard var text = String(validating: line.bytes, as: UTF8.self) else {
                throw line.fault("is not UTF-8")
            }
            var metadata: [String: MetadataValue] = [:]
            if isJSON, !text.allSatisfy(\.isWhitespace) {
                metadata = try line.object()
                guard case .text(let value)? = metadata.removeValue(forKey: "text") else {
                    throw line.fault("'text' is missing")
                }
                text = value
            }
            text = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard !text.isEmpty else { continue }
            lines.append(Line(number: line.number, text: text, metadata: metadata))
        }
        self.lines = lines
    }
}
