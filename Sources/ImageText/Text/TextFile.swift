internal import CImaging
internal import SystemPackage

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Reads text files of others: captions, annotations, vocabularies.
///
/// They are regular files, in UTF-8, with or without a byte order mark. Pipes and devices are
/// refused, as they could keep the reader waiting for ever.
enum TextFile {
    /// Why a file cannot be read.
    struct Fault: Error {
        let reason: String
        /// Nil where the file could be opened but is not what it should be.
        let errno: Errno?
    }

    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// The bytes of a file, without the byte order mark.
    static func contents(of path: FilePath) throws(Fault) -> [UInt8] {
        var file = imaging_file()
        let status = path.withPlatformString { imaging_file_open($0, &file) }
        guard status == IMAGING_FILE_OK else { throw fault(file) }
        defer { imaging_file_close(&file) }
        guard let count = Int(exactly: file.size) else {
            throw Fault(reason: "it is too long", errno: nil)
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let read = imaging_file_read(&file, 0, buffer.baseAddress, count)
            initialized = max(0, Int(read))
        }
        guard file.code == 0 else { throw fault(file) }
        if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
            throw Fault(reason: "it is UTF-16 text; save it as UTF-8", errno: nil)
        }
        return withoutMark(bytes)
    }

    /// A text without the byte order mark.
    static func withoutMark(_ bytes: [UInt8]) -> [UInt8] {
        bytes.starts(with: mark) ? Array(bytes[mark.count...]) : bytes
    }

    /// The lines of a text, without the line feed that ends each or the carriage return before it.
    static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
    }

    private static func fault(_ file: imaging_file) -> Fault {
        guard file.code != 0 else { return Fault(reason: "it is not a regular file", errno: nil) }
        let errno = Errno(rawValue: file.code)
        return Fault(reason: "\(errno)", errno: errno)
    }
}
