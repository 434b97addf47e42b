internal import SystemPackage

/// Reads text files from outside the package: captions, annotations, vocabularies.
///
/// They must be regular files in UTF-8, with or without a byte order mark.
enum TextFile {
    typealias Fault = OpenFile.Fault

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Returns the bytes of a file, without the byte order mark.
    static func contents(of path: FilePath) throws(Fault) -> [UInt8] {
        var file = try OpenFile(path)
        guard let count = Int(exactly: file.byteCount) else {
            throw Fault(reason: "it is too long", errno: nil)
        }
        let bytes = try file.bytes(count)
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw Fault(reason: "it is UTF-16 text; save it as UTF-8", errno: nil)
        }
        return withoutMark(bytes)
    }

    /// Returns a text without its byte order mark.
    static func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: mark) ? Array(bytes[mark.count...]) : bytes
    }

    /// Returns the lines of a text, each without its line feed and a carriage return before that.
    static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
    }
}
