internal import CImaging
internal import SystemPackage

#if canImport(Darwin)
    internal import Darwin
#else
    internal import Glibc
#endif

/// Reads whole regular files, whatever their names are made of.
///
/// Pipes and devices are refused: they could keep the caller waiting for ever.
enum ImageFile {
    static let maximumBytes: Int64 = 1 << 30

    /// Reads the file, after a look at its first bytes.
    ///
    /// - Parameter accept: Is given the first bytes and says whether the rest is worth reading.
    static func read(
        _ path: FilePath, accept: (ArraySlice<UInt8>) throws(ImageError) -> Void
    ) throws(ImageError) -> [UInt8] {
        let source = path.description
        var file = imaging_file()
        let status = path.withPlatformString { imaging_file_open($0, &file) }
        guard status == IMAGING_FILE_OK else {
            let why =
                file.code == 0 ? "it is not a regular file" : String(cString: strerror(file.code))
            throw ImageError(.unreadable(why), source)
        }
        defer { imaging_file_close(&file) }
        guard file.size > 0 else { throw ImageError(.empty, source) }
        guard file.size <= maximumBytes else {
            throw ImageError(.tooManyBytes(file.size, limit: maximumBytes), source)
        }
        let headCount = min(Int(file.size), ImageFormat.signatureLength)
        let head = try bytes(&file, headCount, source)
        try accept(head[...])
        return try bytes(&file, Int(file.size), source)
    }

    /// Whether there is anything at this path.
    static func exists(_ path: FilePath) -> Bool {
        path.withPlatformString { access($0, F_OK) } == 0
    }

    private static func bytes(
        _ file: inout imaging_file, _ count: Int, _ source: String
    ) throws(ImageError) -> [UInt8] {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            let read = imaging_file_read(&file, 0, buffer.baseAddress, count)
            initialized = max(0, Int(read))
        }
        guard file.code == 0 else {
            throw ImageError(.unreadable(String(cString: strerror(file.code))), source)
        }
        return bytes
    }
}
