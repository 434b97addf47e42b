import SystemPackage
import Torch

/// The one thing about a vocabulary that can be checked against weights: its length.
enum VocabularyFile {
    /// Checks that there is one line for each word embedding.
    ///
    /// Lines end with "\n" alone: entries may contain other characters that end lines elsewhere.
    static func check(_ path: FilePath, rows: Int) throws {
        let lines = try MappedFile(path).withUnsafeBytes { bytes in
            let ends = bytes.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
            return bytes.last.map { $0 == 0x0A } ?? true ? ends : ends + 1
        }
        guard lines == rows else {
            throw ModelFileError(path, .vocabulary(lines: lines, rows: rows))
        }
    }
}
