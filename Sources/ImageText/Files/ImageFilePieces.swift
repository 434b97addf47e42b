internal import Synchronization
package import SystemPackage

/// An image's file that is read as it is, piece by piece, however large.
package final class ImageFilePieces: Sendable {
    /// What kind of image its first bytes say it is.
    package let kind: ImageKind
    /// Its length in bytes when it was opened; what is added later is not read.
    package let byteCount: Int64
    private let file: Mutex<OpenFile>
    private let name: String

    /// Opens a file.
    ///
    /// - Throws: `ImageError` if it cannot be read, is empty or too large, or is no image.
    package init(_ path: FilePath) throws(ImageError) {
        name = path.description
        var opened = try Self.open(path)
        let head = try Self.bytes(
            ImageFormat.signatureLength, from: 0, of: &opened, path.description)
        byteCount = opened.byteCount
        guard byteCount > 0 else { throw ImageError(.empty, path.description) }
        guard byteCount <= ImageFile.maximumBytes else {
            throw ImageError(
                .tooManyBytes(byteCount, limit: ImageFile.maximumBytes), path.description)
        }
        guard let kind = ImageKind(head) else {
            throw ImageError(.unrecognised, path.description)
        }
        self.kind = kind
        file = Mutex(opened)
    }

    /// Some of its bytes; none at its end.
    ///
    /// - Throws: `ImageError` if they cannot be read.
    package func piece(from offset: Int64, atMost count: Int) throws(ImageError) -> [UInt8] {
        let wanted = Int(min(Int64(count), max(0, byteCount - offset)))
        guard wanted > 0 else { return [] }
        let name = name
        return try file.withLock { file throws(ImageError) in
            try Self.bytes(wanted, from: offset, of: &file, name)
        }
    }

    private static func open(_ path: FilePath) throws(ImageError) -> OpenFile {
        do { return try OpenFile(path) } catch {
            throw ImageError(.unreadable(error.reason), path.description)
        }
    }

    private static func bytes(
        _ count: Int, from offset: Int64, of file: inout OpenFile, _ name: String
    ) throws(ImageError) -> [UInt8] {
        do { return try file.bytes(count, from: offset) } catch {
            throw ImageError(.unreadable(error.reason), name)
        }
    }
}
