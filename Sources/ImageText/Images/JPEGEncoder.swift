internal import CImaging
import Storage

/// Encodes JPEG through libjpeg-turbo, for small images in reports.
package enum JPEGEncoder {
    /// Returns the image as a baseline JPEG file without metadata.
    ///
    /// - Parameters:
    ///   - image: The image, with sides of at most 65,500 pixels, which is libjpeg's limit.
    ///   - quality: libjpeg's quality, from 1 to 100; 80 by default.
    ///   - maximumBytes: The limit of the file's size in bytes; none by default.
    ///   - name: The name of the image in errors.
    /// - Throws: ``ImageError`` if the encoder rejects the image or the file exceeds the limit.
    package static func encode(
        _ image: RGBImage, quality: Int = 80, maximumBytes: Int = .max, named name: String
    ) throws(ImageError) -> [UInt8] {
        precondition((1...100).contains(quality), "the quality is \(quality), not 1 to 100")
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        var message = CMessage()
        let status = imaging_jpeg_encode(
            image.pixels, Int32(image.width), Int32(image.height), Int32(quality),
            max(0, maximumBytes), &bytes, &count, &message.characters)
        defer { free(bytes) }
        guard status == 0, let bytes else {
            throw ImageError(.unencodable(format: "JPEG", message.text), name)
        }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
