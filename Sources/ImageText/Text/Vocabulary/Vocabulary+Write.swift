import Foundation
public import SystemPackage

extension Vocabulary {
    /// Writes the vocabulary as Google's `vocab.txt`: one token per line, each ended by U+000A.
    ///
    /// The write is atomic: a failure leaves no partial file.
    ///
    /// - Parameters:
    ///   - file: The file to write.
    ///   - replaces: Whether an existing file is replaced; by default it is an error.
    /// - Throws: ``VocabularyError``, which names the file.
    public func write(to file: FilePath, replacing replaces: Bool = false) throws(VocabularyError) {
        if !replaces, FileManager.default.fileExists(atPath: file.string) {
            throw VocabularyError(.exists, source: file.string)
        }
        let bytes = tokens.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
        do {
            try Data(bytes).write(to: URL(filePath: file.string), options: .atomic)
        } catch {
            let reason = (error as NSError).localizedDescription
            throw VocabularyError(.unwritable(reason: reason), source: file.string)
        }
    }
}
