internal import CImaging
internal import SystemPackage

/// A regular file from outside the package, open for reading.
///
/// Its path may be any bytes. Pipes and devices are rejected, because they could block the reader
/// for ever.
struct OpenFile: ~Copyable {
    /// The reason that a file cannot be read.
    struct Fault: Error {
        let reason: String
        /// The system's error code; `nil` if the file could be opened but is unsuitable.
        let errno: Errno?
    }

    private var file = imaging_file()
    /// The length in bytes.
    var byteCount: Int64 { file.size }

    /// Opens a file.
    init(_ path: FilePath) throws(Fault) {
        let status = path.withPlatformString { imaging_file_open($0, &file) }
        guard status == IMAGING_FILE_OK else {
            throw file.code == 0
                ? Fault(reason: "it is not a regular file", errno: nil) : Self.fault(file.code)
        }
    }

    deinit {
        var file = file
        imaging_file_close(&file)
    }

    /// Returns `count` bytes from an offset on, or fewer if the file ends before.
    mutating func bytes(_ count: Int, from offset: Int64 = 0) throws(Fault) -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let read = imaging_file_read(&file, offset, buffer.baseAddress, count)
            initialized = max(0, Int(read))
        }
        guard file.code == 0 else { throw Self.fault(file.code) }
        return bytes
    }

    private static func fault(_ code: Int32) -> Fault {
        Fault(reason: "\(Errno(rawValue: code))", errno: Errno(rawValue: code))
    }
}
