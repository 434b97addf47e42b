internal import CImaging

/// A file format, recognised by its first bytes.
///
/// File names can be wrong, and guessing more freely would help crafted files.
enum ImageFormat {
    case jpeg
    case bmp
    case vips(imaging_vips_format, name: String)
    case unsupported(String)

    /// The number of bytes that `init(_:)` inspects.
    static let signatureLength = 64

    /// Recognises a format; `nil` if it is unknown.
    ///
    /// - Parameter head: The first `signatureLength` bytes, or all bytes of a shorter file.
    init?(_ head: some Collection<UInt8>) {
        let head = Array(head.prefix(Self.signatureLength))
        func has(_ text: StaticString, at offset: Int = 0) -> Bool {
            guard offset + text.utf8CodeUnitCount <= head.count else { return false }
            return text.withUTF8Buffer { head[offset...].starts(with: $0) }
        }
        func has(_ bytes: [UInt8]) -> Bool { head.starts(with: bytes) }

        if has([0xFF, 0xD8, 0xFF]) {
            self = .jpeg
        } else if has([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]) {
            self = .vips(IMAGING_VIPS_PNG, name: "PNG")
        } else if has("GIF87a") || has("GIF89a") {
            self = .vips(IMAGING_VIPS_GIF, name: "GIF")
        } else if has("RIFF") && has("WEBP", at: 8) {
            self = .vips(IMAGING_VIPS_WEBP, name: "WebP")
        } else if has([0x49, 0x49, 0x2A, 0]) || has([0x4D, 0x4D, 0, 0x2A])
            || has([0x49, 0x49, 0x2B, 0]) || has([0x4D, 0x4D, 0, 0x2B])
        {
            self = .vips(IMAGING_VIPS_TIFF, name: "TIFF")
        } else if has("BM") {
            self = .bmp
        } else if has("ftyp", at: 4) {
            guard let name = Self.heifBrand(head) else { return nil }
            self = .vips(IMAGING_VIPS_HEIF, name: name)
        } else if has([0, 0, 0, 0x0C, 0x6A, 0x50, 0x20, 0x20]) || has([0xFF, 0x4F, 0xFF, 0x51]) {
            self = .vips(IMAGING_VIPS_JPEG2000, name: "JPEG 2000")
        } else if head.count > 2, head[0] == UInt8(ascii: "P"), Self.isPNM(head[1], head[2]) {
            self = .vips(IMAGING_VIPS_PNM, name: "PNM")
        } else if has([0, 0, 1, 0]) {
            self = .unsupported("an icon")
        } else if has("8BPS") {
            self = .unsupported("a Photoshop document")
        } else if has("%PDF") {
            self = .unsupported("a PDF document")
        } else {
            return nil
        }
    }

    private static func isPNM(_ kind: UInt8, _ next: UInt8) -> Bool {
        let kinds = (UInt8(ascii: "1")...UInt8(ascii: "6")).contains(kind)
        let float = kind == UInt8(ascii: "F") || kind == UInt8(ascii: "f")
        return (kinds || float) && [0x09, 0x0A, 0x0D, 0x20, 0x23].contains(next)
    }

    /// Returns the format of the major brand, otherwise of the first known compatible brand.
    private static func heifBrand(_ head: [UInt8]) -> String? {
        for offset in [8] + Array(stride(from: 16, to: head.count - 3, by: 4)) {
            guard offset + 4 <= head.count else { break }
            switch String(decoding: head[offset..<offset + 4], as: UTF8.self) {
            case "avif", "avis": return "AVIF"
            case "heic", "heix", "heim", "heis", "hevc", "hevx": return "HEIC"
            default: continue
            }
        }
        return nil
    }
}

/// The media type and the file extension of an image.
package struct ImageKind: Sendable, Hashable {
    /// The value of `Content-Type`.
    package let mediaType: String
    /// The file extension, without the dot.
    package let fileExtension: String

    /// Recognises an image by its first bytes; `nil` if its format is not supported.
    package init?(_ bytes: some Collection<UInt8>) {
        let name: String
        switch ImageFormat(bytes.prefix(ImageFormat.signatureLength)) {
        case .jpeg: (mediaType, name) = ("image/jpeg", "jpg")
        case .bmp: (mediaType, name) = ("image/bmp", "bmp")
        case .vips(let format, _):
            switch format {
            case IMAGING_VIPS_PNG: (mediaType, name) = ("image/png", "png")
            case IMAGING_VIPS_GIF: (mediaType, name) = ("image/gif", "gif")
            case IMAGING_VIPS_WEBP: (mediaType, name) = ("image/webp", "webp")
            case IMAGING_VIPS_TIFF: (mediaType, name) = ("image/tiff", "tiff")
            case IMAGING_VIPS_HEIF: (mediaType, name) = ("image/heif", "heif")
            case IMAGING_VIPS_JPEG2000: (mediaType, name) = ("image/jp2", "jp2")
            case IMAGING_VIPS_PNM: (mediaType, name) = ("image/x-portable-anymap", "pnm")
            default: return nil
            }
        case .unsupported, nil: return nil
        }
        fileExtension = name
    }
}
