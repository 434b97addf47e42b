import Storage
package import SystemPackage
import Torch

/// A vocabulary as a model directory keeps it: one token on each line, each line ended by U+000A.
///
/// The one thing about it that can be checked against weights is its length.
package struct VocabularyFile {
    private static let lineFeed = UInt8(ascii: "\n")
    private static let carriageReturn = UInt8(ascii: "\r")

    private let file: MappedFile
    /// How many lines there are.
    package let lineCount: Int

    /// Counts the lines of a file, which are read in place.
    package init(_ path: FilePath) throws {
        file = try MappedFile(path)
        lineCount = file.withUnsafeBytes { bytes in
            // The last line may have no end.
            bytes.count { $0 == Self.lineFeed }
                + (bytes.last.map { $0 == Self.lineFeed } ?? true ? 0 : 1)
        }
    }

    /// Checks that there is one line for each word embedding.
    func check(rows: Int) throws {
        guard lineCount == rows else {
            throw ModelFileError(file.path, .vocabulary(lines: lineCount, rows: rows))
        }
    }

    /// The file as it is.
    var contents: [UInt8] { file.withUnsafeBytes { Array($0) } }

    /// The text, without a byte order mark and without the carriage returns of Windows.
    ///
    /// Lines end with "\n", or all of them with "\r\n": entries may contain other characters that
    /// end lines elsewhere.
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
