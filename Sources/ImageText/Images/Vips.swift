internal import CImaging

/// Decodes all formats but JPEG and BMP through libvips, and converts colours by ICC profiles.
enum Vips {
    static func decode(
        _ bytes: [UInt8], _ format: imaging_vips_format, name: String, maximumPixels: Int,
        profiles: ImageLoader.Profiles, source: String
    ) throws(ImageError) -> RGBImage {
        var image = imaging_vips_image()
        let status = imaging_vips_load(
            bytes, bytes.count, format, Int64(maximumPixels), profiles == .applied ? 1 : 0, &image)
        defer { imaging_vips_image_free(&image) }
        switch status {
        case IMAGING_VIPS_OK: break
        case IMAGING_VIPS_TOO_LARGE:
            throw ImageError(
                .tooManyPixels(
                    format: name, width: image.width, height: image.height,
                    limit: maximumPixels), source)
        case IMAGING_VIPS_UNAVAILABLE:
            throw ImageError(.unavailable(format: name, message(&image)), source)
        default:
            throw ImageError(.undecodable(format: name, message(&image)), source)
        }
        let orientation = orientation(of: image, bytes)
        let (width, height) = (Int(image.width), Int(image.height))
        let samples = UnsafeBufferPointer(start: image.pixels, count: width * height * 3)
        return Pixels.orient(samples, width: width, height: height, orientation)
    }

    /// Returns the metadata before the pixels; `nil` if libvips cannot read it.
    static func header(of bytes: [UInt8], _ format: imaging_vips_format) -> ImageHeader? {
        var image = imaging_vips_image()
        defer { imaging_vips_image_free(&image) }
        guard imaging_vips_inspect(bytes, bytes.count, format, &image) == IMAGING_VIPS_OK else {
            return nil
        }
        func copy(_ start: UnsafePointer<UInt8>?, _ count: Int) -> ArraySlice<UInt8>? {
            count == 0 ? nil : Array(UnsafeBufferPointer(start: start, count: count))[...]
        }
        var exif = copy(image.exif, image.exif_count)
        if exif == nil, let text = image.hexadecimal_exif {
            exif = Orientation.block(hexadecimal: String(cString: text))?[...]
        }
        // A TIFF file is itself a block in EXIF's format.
        if format == IMAGING_VIPS_TIFF { exif = bytes[...] }
        return ImageHeader(
            width: Int(image.width), height: Int(image.height),
            orientation: orientation(of: image, bytes), exif: exif,
            xmp: copy(image.xmp, image.xmp_count))
    }

    private static func orientation(of image: imaging_vips_image, _ bytes: [UInt8]) -> Int {
        if image.orientation != 0 { return Int(image.orientation) }
        if let text = image.hexadecimal_exif,
            let found = Orientation.block(hexadecimal: String(cString: text))
                .flatMap({ Orientation.exif($0[...]) })
        {
            return found
        }
        let packet = UnsafeBufferPointer(start: image.xmp, count: image.xmp_count)
        if let found = Orientation.xmp(packet) { return found }
        // The rows of a float map go upwards, which libvips does not correct.
        return bytes.starts(with: [0x50, 0x46]) || bytes.starts(with: [0x50, 0x66]) ? 4 : 1
    }

    /// Converts grey, RGB or CMYK samples to sRGB according to `profile`.
    static func sRGB(
        _ samples: [UInt8], _ raster: Raster, profile: [UInt8], source: String
    ) throws(ImageError) -> [UInt8] {
        let count = raster.width * raster.height * 3
        var status = IMAGING_VIPS_OK
        var message = CMessage()
        let output = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            status = imaging_vips_to_srgb(
                samples, Int32(raster.width), Int32(raster.height), Int32(raster.channels),
                profile, profile.count, buffer.baseAddress, &message.characters)
            initialized = status == IMAGING_VIPS_OK ? count : 0
        }
        switch status {
        case IMAGING_VIPS_OK: return output
        case IMAGING_VIPS_UNAVAILABLE:
            throw ImageError(
                .unavailable(format: "a JPEG with colours that are not sRGB", message.text),
                source)
        default: throw ImageError(.undecodable(format: "JPEG", message.text), source)
        }
    }

    private static func message(_ image: inout imaging_vips_image) -> String {
        withUnsafeBytes(of: &image.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
