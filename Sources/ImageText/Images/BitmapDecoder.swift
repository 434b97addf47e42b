/// Decodes Windows and OS/2 bitmaps with 1, 4, 8, 16, 24 or 32 bits per pixel, uncompressed.
///
/// libvips would pass them to ImageMagick, which guesses formats and thereby exposes many more
/// decoders to crafted files.
struct BitmapDecoder {
    private let bytes: Bytes
    private let source: String
    private let width: Int
    private let height: Int
    private let topDown: Bool
    private let bits: Int
    private let start: Int
    private let palette: [SIMD3<UInt8>]
    private let masks: [Mask]

    /// The bits of a channel in a pixel of 16 or 32 bits.
    private struct Mask {
        let shift: Int
        let maximum: Int

        init?(_ mask: Int) {
            guard mask > 0 else { return nil }
            shift = mask.trailingZeroBitCount
            maximum = mask >> shift
            guard maximum & (maximum + 1) == 0 else { return nil }
        }

        func value(_ pixel: Int) -> Int {
            ((pixel >> shift & maximum) * 255 + maximum / 2) / maximum
        }
    }

    static func decode(
        _ file: [UInt8], maximumPixels: Int, source: String
    ) throws(ImageError) -> RGBImage {
        let decoder = try BitmapDecoder(file, maximumPixels: maximumPixels, source: source)
        return decoder.image(file)
    }

    /// Returns the size of the image; `nil` if the file is damaged.
    static func header(of file: [UInt8]) -> ImageHeader? {
        let decoder = try? BitmapDecoder(
            file, maximumPixels: ImageLoader.defaultMaximumPixels, source: "")
        return decoder.map { ImageHeader(width: $0.width, height: $0.height) }
    }

    private init(_ file: [UInt8], maximumPixels: Int, source: String) throws(ImageError) {
        func broken(_ why: String) -> ImageError {
            ImageError(.undecodable(format: "BMP", why), source)
        }
        bytes = Bytes(file[...])
        self.source = source
        guard let start = bytes.u32(10, false), let header = bytes.u32(14, false) else {
            throw broken("its header is cut short")
        }
        self.start = start
        let old = header == 12
        guard old || (40...124).contains(header) else {
            throw broken("its header of \(header) bytes is not a supported version")
        }
        let sides =
            old
            ? (bytes.u16(18, false), bytes.u16(20, false))
            : (bytes.u32(18, false), bytes.u32(22, false))
        guard let across = sides.0, let down = sides.1,
            let bits = bytes.u16(old ? 24 : 28, false),
            let compression = old ? 0 : bytes.u32(30, false)
        else { throw broken("its header is cut short") }
        let signed = old ? down : Int(Int32(truncatingIfNeeded: down))
        width = old ? across : Int(Int32(truncatingIfNeeded: across))
        height = abs(signed)
        topDown = signed < 0
        self.bits = bits
        guard width > 0, height > 0 else { throw broken("it declares \(width) x \(height) pixels") }
        guard width.multipliedReportingOverflow(by: height).partialValue <= maximumPixels else {
            throw ImageError(
                .tooManyPixels(
                    format: "BMP", width: Int64(width), height: Int64(height),
                    limit: maximumPixels), source)
        }
        let fields = compression == 3 || compression == 6
        guard [1, 4, 8, 16, 24, 32].contains(bits),
            compression == 0 || (fields && (bits == 16 || bits == 32))
        else {
            throw broken("\(bits) bits per pixel with compression \(compression) are not supported")
        }
        masks = try Self.masks(bytes, bits, header, fields, compression, broken)
        palette =
            bits <= 8 ? try Self.palette(bytes, bits, 14 + header, old, start, broken) : []
        let stride = (width * bits + 31) / 32 * 4
        // The last row may lack its padding.
        let needed = start + stride * (height - 1) + (width * bits + 7) / 8
        guard start >= 14 + header, needed <= file.count else {
            throw broken("it is cut short: it has \(file.count) of \(needed) bytes")
        }
    }
}

extension BitmapDecoder {
    /// Returns the masks of red, green, blue and, if the file has it, alpha.
    private static func masks(
        _ bytes: Bytes, _ bits: Int, _ header: Int, _ fields: Bool, _ compression: Int,
        _ broken: (String) -> ImageError
    ) throws(ImageError) -> [Mask] {
        guard bits == 16 || bits == 32 else { return [] }
        var values = bits == 16 ? [0x7C00, 0x3E0, 0x1F] : [0xFF0000, 0xFF00, 0xFF]
        if fields {
            let count = header >= 56 || compression == 6 ? 4 : 3
            values = (0..<count).compactMap { bytes.u32(54 + 4 * $0, false) }
        }
        let masks = values.prefix(3).compactMap { Mask($0) }
        guard masks.count == 3 else { throw broken("its channel masks are invalid") }
        return masks + values.dropFirst(3).compactMap { Mask($0) }
    }

    private static func palette(
        _ bytes: Bytes, _ bits: Int, _ offset: Int, _ old: Bool, _ start: Int,
        _ broken: (String) -> ImageError
    ) throws(ImageError) -> [SIMD3<UInt8>] {
        let entry = old ? 3 : 4
        let declared = old ? 0 : bytes.u32(46, false) ?? 0
        let room = max(0, start - offset) / entry
        let count = min(declared == 0 ? 1 << bits : declared, 1 << bits, room)
        let colours = (0..<count).compactMap { index -> SIMD3<UInt8>? in
            let place = offset + entry * index
            guard let blue = bytes.u8(place), let green = bytes.u8(place + 1),
                let red = bytes.u8(place + 2)
            else { return nil }
            return [UInt8(red), UInt8(green), UInt8(blue)]
        }
        guard !colours.isEmpty else { throw broken("it has no palette") }
        // An index past the palette is black, as in other decoders.
        return colours + Array(repeating: .zero, count: (1 << bits) - colours.count)
    }

    private func image(_ file: [UInt8]) -> RGBImage {
        let stride = (width * bits + 31) / 32 * 4
        var pixels: [UInt8] = []
        pixels.reserveCapacity(width * height * 3)
        for y in 0..<height {
            let row = start + stride * (topDown ? y : height - 1 - y)
            for x in 0..<width {
                let colour = colour(file, row, x)
                pixels.append(colour.x)
                pixels.append(colour.y)
                pixels.append(colour.z)
            }
        }
        return RGBImage(width: width, height: height, pixels: pixels)
    }

    private func colour(_ file: [UInt8], _ row: Int, _ x: Int) -> SIMD3<UInt8> {
        switch bits {
        case 1: return palette[Int(file[row + x / 8] >> (7 - x % 8)) & 1]
        case 4: return palette[Int(file[row + x / 2] >> (x % 2 == 0 ? 4 : 0)) & 15]
        case 8: return palette[Int(file[row + x])]
        case 24:
            let place = row + 3 * x
            return [file[place + 2], file[place + 1], file[place]]
        default:
            let place = row + bits / 8 * x
            let pixel = (0..<bits / 8).reduce(0) { $0 | Int(file[place + $1]) << (8 * $1) }
            let colour = masks.prefix(3).map { $0.value(pixel) }
            let alpha = masks.count > 3 ? masks[3].value(pixel) : 255
            func over(_ value: Int) -> UInt8 {
                UInt8((value * alpha + 255 * (255 - alpha) + 127) / 255)
            }
            return [over(colour[0]), over(colour[1]), over(colour[2])]
        }
    }
}
