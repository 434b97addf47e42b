public import SystemPackage

/// Loads images in any common format as upright 8-bit sRGB over white.
///
/// JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, HEIC, JPEG 2000 and the PNM family are recognised by
/// their first bytes. An animation yields its first frame. EXIF's orientation is applied, or XMP's
/// if EXIF has none. Grey, CMYK and L*a*b* become RGB; 16-bit samples are scaled, not clipped. A
/// damaged or truncated file is an error, never an image that is partly made up.
///
/// A loader may be used from many threads; each call works only on its caller's thread.
public struct ImageLoader: Sendable {
    /// The treatment of embedded colour profiles.
    public enum Profiles: Sendable {
        /// Samples are used unchanged, as by Pillow and hence in the published models' training.
        case ignored
        /// Samples are converted to sRGB, which shows the image as intended.
        case applied
    }

    /// The default limit of the pixels of an image, which is Pillow's: 178,956,970.
    public static let defaultMaximumPixels = 178_956_970

    /// Chooses a part of an upright image by its width and height.
    package typealias PartChoice = (_ width: Int, _ height: Int) -> ImagePart

    /// The file extensions that mark images in folders, in lower case.
    package static let fileExtensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "jfi", "jif", "jpg_large", "mpo", "png", "apng", "webp",
        "gif",
        "tif", "tiff", "btf", "bmp", "dib", "avif", "avifs", "heic", "heics", "heif", "heifs",
        "hif",
        "jp2", "j2k", "j2c", "jpc", "jpf", "jpx", "ppm", "pgm", "pbm", "pnm", "pfm",
    ]

    /// The number of pixels that a file may declare; checked before memory for them is allocated.
    public let maximumPixels: Int
    /// The side in pixels that images will be resized to, or `nil` for full-size images.
    public let targetSide: Int?
    /// The treatment of embedded colour profiles.
    public let profiles: Profiles
    /// The routines that decode; all yield the same.
    package var kernels = Pixels.Kernels.fastest

    /// Creates a loader.
    ///
    /// - Parameters:
    ///   - maximumPixels: The number of pixels that a file may declare, at least 1.
    ///   - targetSide: The side in pixels that the caller resizes to. A much larger JPEG is decoded
    ///     at 1/2, 1/4 or 1/8 of its size, never below twice this side, which is several times
    ///     faster. `nil`, the default, decodes every image in full size.
    ///   - profiles: The treatment of colour profiles; they are ignored by default, as in Pillow.
    public init(
        maximumPixels: Int = Self.defaultMaximumPixels, targetSide: Int? = nil,
        profiles: Profiles = .ignored
    ) {
        precondition(maximumPixels > 0, "the limit is \(maximumPixels) pixels")
        precondition(targetSide.map { $0 > 0 } ?? true, "the target side is not positive")
        self.maximumPixels = maximumPixels
        self.targetSide = targetSide
        self.profiles = profiles
    }

    /// Loads a file; its path need not be UTF-8.
    ///
    /// - Returns: The image, `[H, W, 3]`.
    /// - Throws: ``ImageError`` if the file cannot be read, is not an image of a known format, is
    ///   damaged, or declares more than ``maximumPixels``.
    public func load(_ path: FilePath) throws(ImageError) -> RGBImage {
        try load(path, part: ImagePart.whole)
    }

    /// Loads a part of a file, for which a JPEG need not be decoded as a whole.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - choose: Returns the part to load, which must lie within an upright image of the given
    ///     width and height.
    /// - Returns: The same pixels as in the whole image, `[H, W, 3]`.
    /// - Throws: ``ImageError`` as for the whole image, also if it is damaged beside the part.
    package func load(
        _ path: FilePath, part choose: PartChoice
    ) throws(ImageError) -> RGBImage {
        try load(Self.bytes(of: path), named: path.description, part: choose)
    }

    /// Reads a file without decoding it, if its first bytes are those of an image.
    ///
    /// - Throws: ``ImageError`` if the file cannot be read or is not an image of a known format.
    package static func bytes(of path: FilePath) throws(ImageError) -> [UInt8] {
        try ImageFile.read(path) { head throws(ImageError) in
            _ = try format(head, path.description)
        }
    }

    /// Decodes the content of a file.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: The name of the image in errors.
    /// - Returns: The image, `[H, W, 3]`.
    /// - Throws: ``ImageError`` if the bytes are not an image of a known format, are damaged, or
    ///   declare more than ``maximumPixels``.
    public func load(_ bytes: [UInt8], named name: String) throws(ImageError) -> RGBImage {
        try load(bytes, named: name, part: ImagePart.whole)
    }

    /// Decodes a part of the content of a file, like ``load(_:part:)``.
    package func load(
        _ bytes: [UInt8], named name: String, part choose: PartChoice
    ) throws(ImageError) -> RGBImage {
        guard !bytes.isEmpty else { throw ImageError(.empty, name) }
        switch try Self.format(bytes[...], name) {
        case .jpeg:
            return try JPEGDecoder.decode(
                bytes, maximumPixels: maximumPixels, targetSide: targetSide, profiles: profiles,
                source: name, kernels: kernels, part: choose)
        case .bmp:
            return try BitmapDecoder.decode(bytes, maximumPixels: maximumPixels, source: name)
                .part(choose)
        case .vips(let format, let formatName):
            return try Vips.decode(
                bytes, format, name: formatName, maximumPixels: maximumPixels, profiles: profiles,
                source: name
            ).part(choose)
        case .unsupported(let what):
            throw ImageError(.unsupported(what), name)
        }
    }

    private static func format(
        _ head: ArraySlice<UInt8>, _ source: String
    ) throws(ImageError) -> ImageFormat {
        guard let format = ImageFormat(head.prefix(ImageFormat.signatureLength)) else {
            throw ImageError(.unrecognised, source)
        }
        return format
    }
}
