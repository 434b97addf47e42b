import ImageText
import Retrieval
import SystemPackage

/// The image of a request: one that the client sent, or one in the index.
enum RequestedImage: Sendable {
    case sent([UInt8])
    case file(FilePath)

    /// The name of a sent image in errors.
    static let sentName = "the image"
}

/// A decoded image of a request.
struct DecodedImage: Sendable {
    /// The pixels, perhaps at a reduced size.
    let pixels: RGBImage
    /// The width and height of the whole image in pixels.
    let width, height: Int
}

extension ServiceParts {
    /// Returns the image that a request names or carries; nil if it has none.
    ///
    /// - Parameters:
    ///   - id: The id of an image in the index.
    ///   - sent: The image file that came with the request.
    /// - Throws: ``Problem`` if the request has both, if no image has the id, or if the index holds
    ///   texts.
    func requestedImage(
        _ id: String?, _ sent: MultipartBody.Part?
    ) throws -> RequestedImage? {
        switch (id, sent) {
        case (.some, .some):
            throw Problem(.invalidRequest, "image: name an image by its id or send one, not both")
        case (nil, let sent?): return .sent(sent.bytes)
        case (let id?, nil):
            let (gallery, entry) = try library.find(id)
            guard gallery.index.content == .images else {
                throw Problem(.conflict, "image: this is an index of texts, which has no images")
            }
            return .file(try gallery.index.entry(entry).path)
        case (nil, nil): return nil
        }
    }

    /// Reads the file of the image that a request names or carries.
    ///
    /// - Returns: The bytes of the file, and its name for errors.
    /// - Throws: ``Problem`` if the request has no image, or as ``requestedImage(_:_:)`` and
    ///   ``bytes(of:)``.
    func imageFile(
        _ id: String?, _ sent: MultipartBody.Part?
    ) async throws -> (bytes: [UInt8], name: String) {
        switch try requestedImage(id, sent) {
        case .sent(let bytes)?: return (bytes, RequestedImage.sentName)
        case .file(let file)?:
            return (try await bytes(of: file), file.lastComponent?.string ?? "it")
        case nil: throw Problem(.invalidRequest, "image: name an image by its id, or send one")
        }
    }

    /// Decodes the image that a request names or carries.
    ///
    /// - Parameters:
    ///   - id: The id of an image in the index.
    ///   - sent: The image file that came with the request.
    ///   - side: The side to which a model resizes the image; nil to decode it in full size.
    /// - Throws: As ``imageFile(_:_:)``; `ImageError` if the image cannot be decoded.
    func decodedImage(
        _ id: String?, _ sent: MultipartBody.Part?, side: Int?
    ) async throws -> DecodedImage {
        let (bytes, name) = try await imageFile(id, sent)
        let loader = ImageLoader(
            maximumPixels: configuration.limits.pixels, targetSide: side)
        return try await images.run {
            let pixels = try loader.load(bytes, named: name)
            // The loader may decode at a reduced size.
            let facts = ImageFacts(of: bytes)
            return DecodedImage(
                pixels: pixels, width: facts.width ?? pixels.width,
                height: facts.height ?? pixels.height)
        }
    }
}
