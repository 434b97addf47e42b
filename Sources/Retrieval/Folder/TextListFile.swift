import Foundation
public import SystemPackage

/// Texts to index, from a file.
///
/// In a file whose name ends in `.jsonl`, each line is a JSON object. Its key `text` is the text,
/// and all other keys are metadata:
///
///     {"text": "a dog in the snow", "topic": "animals"}
///
/// In any other file, each line is a text. Lines without text are skipped.
public struct TextListFile: Sendable {
    /// One text.
    public struct Line: Sendable, Hashable {
        /// The number of the line, from 1.
        public let number: Int
        /// The text.
        public let text: String
        /// The metadata of the text.
        public let metadata: [String: MetadataValue]
    }

    /// The absolute path of the file.
    public let path: FilePath
    /// The texts of the file.
    public let lines: [Line]

    /// Reads a file.
    ///
    /// - Throws: ``MetadataError`` that names the file, the line and the problem.
    public init(_ file: FilePath) throws(MetadataError) {
        path = file.absolute
        let isJSON = file.extension == "jsonl"
        var lines: [Line] = []
        for line in try MetadataLine.lines(of: file) {
            guard var text = String(validating: line.bytes, as: UTF8.self) else {
                throw line.fault("is not UTF-8; save the file as UTF-8")
            }
            var metadata: [String: MetadataValue] = [:]
            if isJSON, !text.allSatisfy(\.isWhitespace) {
                metadata = try line.object()
                guard case .text(let value)? = metadata.removeValue(forKey: "text") else {
                    throw line.fault("'text', the text of the line, is missing")
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
