import Storage
internal import SystemPackage

/// Reads whole image files.
enum ImageFile {
    static let maximumBytes: Int64 = 1 << 30

    /// Reads a file after checking its first bytes.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - accept: Called with the first bytes; throws to reject the file before it is read.
    static func read(
        _ path: FilePath, accept: (ArraySlice<UInt8>) throws(ImageError) -> Void
    ) throws(ImageError) -> [UInt8] {
        let source = path.description
        do {
            var file = try OpenFile(path)
            guard file.byteCount > 0 else { throw ImageError(.empty, source) }
            guard file.byteCount <= maximumBytes else {
                throw ImageError(.tooManyBytes(file.byteCount, limit: maximumBytes), source)
            }
            let count = Int(file.byteCount)
            try accept(file.bytes(min(count, ImageFormat.signatureLength))[...])
            return try file.bytes(count)
        } catch let fault as OpenFile.Fault {
            throw ImageError(.unreadable(fault.reason), source)
        } catch {
            throw error as? ImageError ?? ImageError(.unreadable("\(error)"), source)
        }
    }

    /// Returns whether anything exists at a path.
    static func exists(_ path: FilePath) -> Bool {
        path.withPlatformString { access($0, F_OK) } == 0
    }
}
