public import ImageText
public import SystemPackage

/// An image as input of a ``SearchModel``: normalized pixels, row by row.
///
/// The input sizes of two models may differ. With one model, both arrays are the same.
public struct PreparedImage: Sendable, Hashable {
    /// The pixels for the model whose fusion encoder re-ranks, `[3, S, S]`.
    public let reader: [Float]
    /// The pixels for the model whose features recall compares, `[3, R, R]`.
    public let recall: [Float]
    /// The models for which the image was prepared; others would compute wrong vectors without an
    /// error.
    package let model: ModelSignature
}

extension SearchModel {
    /// Reads and prepares an image file for both models.
    ///
    /// - Throws: `ImageError` that names the file.
    public func pixels(of file: FilePath) throws(ImageError) -> PreparedImage {
        pixels(of: try loader.load(file))
    }

    /// Decodes and prepares an image in memory.
    ///
    /// - Parameters:
    ///   - bytes: The bytes of the image file.
    ///   - name: The name of the image in errors.
    /// - Throws: `ImageError` if the bytes are not a readable image.
    public func pixels(of bytes: [UInt8], named name: String) throws(ImageError) -> PreparedImage {
        pixels(of: try loader.load(bytes, named: name))
    }

    /// Scales and normalizes a decoded image for the models.
    ///
    /// - Parameter image: An image of any size; images from ``loader`` are large enough for both
    ///   models.
    public func pixels(of image: RGBImage) -> PreparedImage {
        let pixels = reader.transform(image)
        return PreparedImage(
            reader: pixels, recall: recall?.transform(image) ?? pixels, model: signature)
    }
}
