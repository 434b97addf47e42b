public import SystemPackage

/// The captions of a file, without their images.
public enum CaptionTexts {
    /// Reads the captions of a file, except blank ones.
    ///
    /// A file that ends in `.txt` has one caption per line. Anything else is an annotation file or
    /// a folder in a format of ``CaptionDataset``; its images need not exist.
    ///
    /// - Throws: ``VocabularyError`` or ``DatasetError``, which name the file and the place in it.
    public static func read(_ file: FilePath) throws -> [String] {
        guard file.extension?.lowercased() == "txt" else {
            return try CaptionDataset.read(file).images.flatMap(\.captions).filter(isCaption)
        }
        let bytes: [UInt8]
        do throws(TextFile.Fault) {
            bytes = try TextFile.contents(of: file)
        } catch {
            throw VocabularyError(.unreadable(reason: error.reason), source: file.string)
        }
        return try TextFile.lines(bytes)
            .enumerated().map { index, line in
                guard let text = String(validating: line, as: UTF8.self) else {
                    throw VocabularyError(.notText(line: index + 1), source: file.string)
                }
                return text
            }.filter(isCaption)
    }

    private static func isCaption(_ text: String) -> Bool { !text.allSatisfy(\.isWhitespace) }
}
