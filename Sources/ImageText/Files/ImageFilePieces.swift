internal import Synchronization
package import SystemPackage

/// An image file that is read in pieces, without decoding, however large it is.
package final class ImageFilePieces: Sendable {
    /// The kind of image, by the first bytes of the file.
    package let kind: ImageKind
    /// The length of the file in bytes when it was opened; bytes appended later are not read.
    package let byteCount: Int64
    private let file: Mutex<OpenFile>
    private let name: String

    /// Opens a file.
    ///
    /// - Throws: ``ImageError`` if the file cannot be read, is empty or too large, or is not an
    ///   image.
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

    /// Returns at most `count` bytes from `offset` on; none at the end of the file.
    ///
    /// - Throws: ``ImageError`` if the bytes cannot be read.
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
