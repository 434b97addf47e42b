public import SystemPackage

/// Loads images of any common format as upright 8-bit sRGB over white.
///
/// JPEG, PNG, WebP, GIF, TIFF, BMP, AVIF, HEIC, JPEG 2000 and the PNM family are told by their
/// first bytes. Of animations the first frame is taken. EXIF's orientation is applied, or XMP's
/// where EXIF has none; grey, CMYK and L*a*b* become RGB; 16-bit samples are scaled, not clipped.
/// A damaged or cut-short file is an error, never an image that is partly invented.
///
/// One loader may be used from many threads; each call works on its caller's thread alone.
public struct ImageLoader: Sendable {
    /// What becomes of the colour profile an image may have embedded.
    public enum Profiles: Sendable {
        /// Samples are taken as they are, as Pillow and so the published models' training did.
        case ignored
        /// Samples are converted to sRGB, which is how the image is meant to be seen.
        case applied
    }

    /// What an image may hold at most by default: Pillow's limit, 178,956,970 pixels.
    public static let defaultMaximumPixels = 178_956_970

    /// File name extensions that folders are searched for, in lower case.
    package static let fileExtensions: Set<String> = [
        "jpg", "jpeg", "jpe", "jfif", "jfi", "jif", "jpg_large", "mpo", "png", "apng", "webp",
        "gif",
        "tif", "tiff", "btf", "bmp", "dib", "avif", "avifs", "heic", "heics", "heif", "heifs",
        "hif",
        "jp2", "j2k", "j2c", "jpc", "jpf", "jpx", "ppm", "pgm", "pbm", "pnm", "pfm",
    ]

    /// How many pixels a file may declare; checked before any memory is taken for them.
    public let maximumPixels: Int
    /// The side in pixels that images will be resized to, or `nil` for full-size images.
    public let targetSide: Int?
    /// What becomes of embedded colour profiles.
    public let profiles: Profiles

    /// A loader.
    ///
    /// - Parameters:
    ///   - maximumPixels: The most pixels a file may declare, at least 1.
    ///   - targetSide: The side the caller resizes to. A JPEG much larger than that is decoded at
    ///     1/2, 1/4 or 1/8 of its size, never below twice the side, which is several times
    ///     faster. `nil`, the default, decodes everything in full.
    ///   - profiles: Whether colour profiles are applied; ignored by default, as in Pillow.
    public init(
        maximumPixels: Int = Self.defaultMaximumPixels, targetSide: Int? = nil,
        profiles: Profiles = .ignored
    ) {
        precondition(maximumPixels > 0, "a limit of \(maximumPixels) pixels")
        precondition(targetSide.map { $0 > 0 } ?? true, "a target side that is not positive")
        self.maximumPixels = maximumPixels
        self.targetSide = targetSide
        self.profiles = profiles
    }

    /// Loads a file; its name need not be UTF-8.
    ///
    /// - Throws: `ImageError` when the file cannot be read, is no image that is known, is
    ///   damaged, or declares more than `maximumPixels`.
    public func load(_ path: FilePath) throws(ImageError) -> RGBImage {
        try load(Self.bytes(of: path), named: path.description)
    }

    /// Reads a file whose first bytes are those of an image, without decoding it.
    ///
    /// - Throws: `ImageError` when the file cannot be read or is no image that is known.
    package static func bytes(of path: FilePath) throws(ImageError) -> [UInt8] {
        try ImageFile.read(path) { head throws(ImageError) in
            _ = try format(head, path.description)
        }
    }

    /// Decodes a file's content.
    ///
    /// - Parameters:
    ///   - bytes: The whole file.
    ///   - name: What errors call it.
    /// - Throws: `ImageError` when the bytes are no image that is known, are damaged, or declare
    ///   more than `maximumPixels`.
    public func load(_ bytes: [UInt8], named name: String) throws(ImageError) -> RGBImage {
        guard !bytes.isEmpty else { throw ImageError(.empty, name) }
        switch try Self.format(bytes[...], name) {
        case .jpeg:
            return try JPEGDecoder.decode(
                bytes, maximumPixels: maximumPixels, targetSide: targetSide, profiles: profiles,
                source: name)
        case .bmp:
            return try BitmapDecoder.decode(bytes, maximumPixels: maximumPixels, source: name)
        case .vips(let format, let formatName):
            return try Vips.decode(
                bytes, format, name: formatName, maximumPixels: maximumPixels, profiles: profiles,
                source: name)
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
