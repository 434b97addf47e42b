internal import CImaging
import Storage

/// Encodes PNG through libvips, for images that must keep every pixel.
public enum PNGEncoder {
    /// Returns the image as an 8-bit RGB PNG file without metadata.
    ///
    /// - Parameters:
    ///   - image: The image, `[H, W, 3]`.
    ///   - name: The name of the image in errors.
    /// - Throws: ``ImageError`` if libvips is missing, cannot write PNG, or runs out of memory.
    public static func encode(
        _ image: RGBImage, named name: String
    ) throws(ImageError) -> [UInt8] {
        var bytes: UnsafeMutablePointer<UInt8>?
        var count = 0
        var message = CMessage()
        let status = imaging_vips_encode_png(
            image.pixels, Int32(image.width), Int32(image.height), &bytes, &count,
            &message.characters)
        defer { free(bytes) }
        guard status == IMAGING_VIPS_OK, let bytes else {
            throw ImageError(.unencodable(format: "PNG", message.text), name)
        }
        return Array(UnsafeBufferPointer(start: bytes, count: count))
    }
}
