import Storage
package import SystemPackage
import Torch

/// A vocabulary of one token per line, as a model directory stores it: each line ends with U+000A.
///
/// Only its length can be checked against weights.
package struct VocabularyFile {
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private let file: MappedFile
    /// The number of lines.
    package let lineCount: Int

    /// Opens a file and counts its lines in place.
    package init(_ path: FilePath) throws {
        file = try MappedFile(path)
        lineCount = file.withUnsafeBytes { bytes in
            // The last line may lack its line feed.
            bytes.count { $0 == Self.lineFeed }
                + (bytes.last.map { $0 == Self.lineFeed } ?? true ? 0 : 1)
        }
    }

    /// Checks that the vocabulary has one line per word embedding.
    func check(rows: Int) throws {
        guard lineCount == rows else {
            throw ModelFileError(file.path, .vocabulary(lines: lineCount, rows: rows))
        }
    }

    /// The unchanged contents of the file.
    var contents: [UInt8] { file.withUnsafeBytes { Array($0) } }

    /// The contents without a byte order mark and without the carriage returns of Windows.
    ///
    /// A carriage return is removed only if every line ends with "\r\n", because tokens may contain
    /// characters that end lines elsewhere.
    package var bytes: [UInt8] {
        var bytes = file.withUnsafeBytes { Array($0) }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        var lines = bytes.split(separator: Self.lineFeed, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        let isEnded = bytes.last == Self.lineFeed
        let ended = isEnded ? lines[...] : lines.dropLast()
        guard !ended.isEmpty, ended.allSatisfy({ $0.last == Self.carriageReturn }) else {
            return bytes
        }
        let text = lines.map { $0.last == Self.carriageReturn ? $0.dropLast() : $0 }
            .joined(separator: [Self.lineFeed])
        return Array(text) + (isEnded ? [Self.lineFeed] : [])
    }
}
