public import ImageText
public import SystemPackage

/// An image as the encoders of a ``SearchModel`` take it: normalised pixels, row by row.
///
/// The sizes of the two models may differ. Where one model does both, it is one array.
public struct PreparedImage: Sendable, Hashable {
    /// For the model whose fusion encoder re-ranks, `[3, S, S]`.
    public let reader: [Float]
    /// For the model whose features recall compares, `[3, R, R]`.
    public let recall: [Float]
    /// Whose encoders they are: others would read nonsense, and say nothing.
    package let model: ModelSignature
}

extension SearchModel {
    /// Reads an image file once, for both models.
    ///
    /// - Throws: ``ImageError`` that names the file.
    public func pixels(of file: FilePath) throws(ImageError) -> PreparedImage {
        pixels(of: try loader.load(file))
    }

    /// Reads an image that is in memory.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - name: what errors call it.
    /// - Throws: ``ImageError`` if it is no image that can be read.
    public func pixels(of bytes: [UInt8], named name: String) throws(ImageError) -> PreparedImage {
        pixels(of: try loader.load(bytes, named: name))
    }

    /// Brings a decoded image to the sizes and ranges of the models.
    ///
    /// - Parameter image: of any size; what ``loader`` decodes is large enough for both.
    public func pixels(of image: RGBImage) -> PreparedImage {
        let pixels = reader.transform(image)
        return PreparedImage(
            reader: pixels, recall: recall?.transform(image) ?? pixels, model: signature)
    }
}
