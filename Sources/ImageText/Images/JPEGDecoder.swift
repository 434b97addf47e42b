internal import CImaging

/// Decodes JPEG through libjpeg-turbo; libvips only applies colour profiles.
enum JPEGDecoder {
    /// The minimum ratio of a reduced image's side to the target side.
    ///
    /// Below 2, the filter of the reduced decoding would add visibly to that of the resize.
    static let scalingMargin = 2

    /// Decodes the part that `choose` returns for the upright image's width and height.
    static func decode(
        _ bytes: [UInt8], maximumPixels: Int, targetSide: Int?,
        profiles: ImageLoader.Profiles, source: String, kernels: Pixels.Kernels,
        part choose: ImageLoader.PartChoice
    ) throws(ImageError) -> RGBImage {
        var info = imaging_jpeg_info()
        try run(source) { imaging_jpeg_inspect(bytes, bytes.count, &info, $0) }
        let (width, height) = (Int(info.width), Int(info.height))
        guard width * height <= maximumPixels else {
            throw ImageError(
                .tooManyPixels(
                    format: "JPEG", width: Int64(width), height: Int64(height),
                    limit: maximumPixels), source)
        }
        let segments = JPEGSegments(bytes)
        let profile = segments.profile.flatMap {
            profiles == .ignored || ICCProfile.isSRGB($0) ? nil : $0
        }
        let eighths = scale(width, height, targetSide)
        let whole = (width: (width * eighths + 7) / 8, height: (height * eighths + 7) / 8)
        let part = Orientation.stored(segments.orientation, whole, choose)
        let raster = Raster(
            width: part.width, height: part.height,
            channels: channels(info.colour, managed: profile != nil))
        var place = imaging_part(
            left: Int32(part.left), top: Int32(part.top), width: Int32(part.width),
            height: Int32(part.height))

        var samples = [UInt8](unsafeUninitializedCapacity: raster.count) { $1 = raster.count }
        try run(source) {
            imaging_jpeg_decode(
                bytes, bytes.count, Int32(eighths), Int32(raster.channels), &place,
                kernels.choice, &samples, $0)
        }
        if info.colour == IMAGING_JPEG_INVERTED_CMYK {
            for index in samples.indices { samples[index] = ~samples[index] }
        }
        if let profile {
            samples = try Vips.sRGB(samples, raster, profile: profile, source: source)
        } else if raster.channels == 4 {
            samples = Pixels.rgb(cmyk: samples)
        }
        return Pixels.orient(
            samples, width: raster.width, height: raster.height, segments.orientation)
    }

    /// Returns the metadata before the pixels; `nil` if libjpeg cannot read it.
    static func header(of bytes: [UInt8]) -> ImageHeader? {
        var info = imaging_jpeg_info()
        var message = CMessage()
        guard imaging_jpeg_inspect(bytes, bytes.count, &info, &message.characters) == 0 else {
            return nil
        }
        let segments = JPEGSegments(bytes)
        return ImageHeader(
            width: Int(info.width), height: Int(info.height), orientation: segments.orientation,
            exif: segments.exif, xmp: segments.xmp)
    }

    /// Returns the scale of decoding, in eighths of the full size.
    ///
    /// Only powers of two are used; decoding at other fractions is not worth its time.
    static func scale(_ width: Int, _ height: Int, _ targetSide: Int?) -> Int {
        guard let targetSide else { return 8 }
        let wanted = scalingMargin * targetSide * 8
        return [1, 2, 4].first { min(width, height) * $0 >= wanted } ?? 8
    }

    private static func channels(_ colour: imaging_jpeg_colour, managed: Bool) -> Int {
        switch colour {
        case IMAGING_JPEG_GREY: managed ? 1 : 3
        case IMAGING_JPEG_RGB: 3
        default: 4
        }
    }

    private static func run(
        _ source: String, _ call: (UnsafeMutablePointer<CChar>) -> Int32
    ) throws(ImageError) {
        var message = CMessage()
        guard call(&message.characters) == 0 else {
            throw ImageError(.undecodable(format: "JPEG", message.text), source)
        }
    }
}

/// The shape of decoded samples, `[height, width, channels]`.
struct Raster {
    let width: Int
    let height: Int
    let channels: Int

    var count: Int { width * height * channels }
}
