import Storage
internal import CImaging

/// Encodes JPEG through libjpeg-turbo, for small images in reports.
package enum JPEGEncoder {
    /// The image as a baseline JPEG file, without metadata.
    ///
    /// - Parameters:
    ///   - image: The image, at most 65,500 pixels a side, which is JPEG's limit.
    ///   - quality: libjpeg's quality, 1 to 100.
    ///   - maximumBytes: The most bytes that the file may have; any number by default.
    ///   - name: What errors call the image.
    /// - Throws: `ImageError` where the encoder refuses it, or has no room for the file.
    package static func encode(
        _ image: RGBImage, quality: Int = 80, maximumBytes: Int = .max, named name: String
    ) throws(ImageError) -> [UInt8] {
        precondition((1...100).contains(quality), "a quality of \(quality)")
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
