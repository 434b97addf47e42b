import SystemPackage
import Torch

/// A vocabulary as a model directory keeps it: one token on each line, each line ended by U+000A.
///
/// The one thing about it that can be checked against weights is its length.
struct VocabularyFile {
    /// The text, without a byte order mark and without the carriage returns of Windows.
    let bytes: [UInt8]
    /// How many lines there are.
    let lineCount: Int

    /// Reads a file.
    ///
    /// Lines end with "\n", or all of them with "\r\n": entries may contain other characters that
    /// end lines elsewhere.
    init(_ path: FilePath) throws {
        let lineFeed = UInt8(ascii: "\n")
        let carriageReturn = UInt8(ascii: "\r")
        var bytes = try MappedFile(path).withUnsafeBytes { Array($0) }
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes.removeFirst(3) }
        var lines = bytes.split(separator: lineFeed, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() }
        lineCount = lines.count
        // The last line may have no end at all.
        let ended = bytes.last == lineFeed ? lines[...] : lines.dropLast()
        if !ended.isEmpty, ended.allSatisfy({ $0.last == carriageReturn }) {
            let text = lines.map { $0.last == carriageReturn ? $0.dropLast() : $0 }
                .joined(separator: [lineFeed])
            self.bytes = Array(text) + (bytes.last == lineFeed ? [lineFeed] : [])
        } else {
            self.bytes = bytes
        }
    }

    /// Checks that there is one line for each word embedding.
    func check(rows: Int, of path: FilePath) throws {
        guard lineCount == rows else {
            throw ModelFileError(path, .vocabulary(lines: lineCount, rows: rows))
        }
    }
}
