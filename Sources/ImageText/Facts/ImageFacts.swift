/// The metadata of an image file: its size, and what a camera wrote into EXIF or XMP.
///
/// A missing, damaged or absurd value is `nil`, such as a date of zeros, a place at 0° 0′, or a
/// camera name without letters and digits.
public struct ImageFacts: Sendable, Hashable, Codable {
    /// The capture time in the camera's local time, `2020-06-14T12:34:56`, or only the day.
    public var date: String?
    /// The width of the upright image, in pixels.
    public var width: Int?
    /// The height of the upright image, in pixels.
    public var height: Int?
    /// The maker and the model of the camera; the maker is not repeated.
    public var camera: String?
    /// The model of the lens.
    public var lens: String?
    /// The latitude of the place, in degrees north.
    public var latitude: Double?
    /// The longitude of the place, in degrees east.
    public var longitude: Double?

    package enum CodingKeys: String, CodingKey {
        case date, width, height, camera, lens, latitude, longitude
    }

    /// The shape of an image: wider than high, higher than wide, or square.
    public enum Orientation: String, Sendable, Hashable, CaseIterable {
        case landscape, portrait, square
    }

    /// The shape of the upright image; `nil` if its size is unknown.
    public var orientation: Orientation? {
        guard let width, let height else { return nil }
        return width == height ? .square : width > height ? .landscape : .portrait
    }

    /// Creates facts without any value.
    public init() {}

    /// Reads the metadata before the pixels of a file; all values are `nil` if it is not an image.
    ///
    /// - Parameter bytes: The whole file.
    /// - Complexity: O(*b*) for *b* bytes before the pixels; pixels are not decoded.
    public init(of bytes: [UInt8]) {
        switch ImageFormat(bytes.prefix(ImageFormat.signatureLength)) {
        case .jpeg: self.init(JPEGDecoder.header(of: bytes))
        case .bmp: self.init(BitmapDecoder.header(of: bytes))
        case .vips(let format, _): self.init(Vips.header(of: bytes, format))
        case .unsupported, nil: self.init()
        }
    }

    private init(_ header: ImageHeader?) {
        guard let header else { return }
        (width, height) = (header.width, header.height)
        if (5...8).contains(header.orientation) { swap(&width, &height) }
        let xmp = header.xmp.map { XMPPacket($0) }
        if let exif = header.exif.flatMap({ EXIFBlock($0) }) { read(exif) }
        date =
            date
            ?? ["exif:DateTimeOriginal", "photoshop:DateCreated", "xmp:CreateDate"].lazy
            .compactMap { xmp?.value($0).flatMap(Self.date) }.first
        camera = camera ?? Self.camera(xmp?.value("tiff:Make"), xmp?.value("tiff:Model"))
        lens =
            lens
            ?? ["exifEX:LensModel", "aux:Lens"].lazy
            .compactMap { Self.name(xmp?.value($0)) }.first
        if latitude == nil {
            place(
                xmp?.value("exif:GPSLatitude").flatMap { Self.degrees($0, "N", "S") },
                xmp?.value("exif:GPSLongitude").flatMap { Self.degrees($0, "E", "W") })
        }
    }

    private mutating func read(_ exif: EXIFBlock) {
        let details = exif.directory(.exifDirectory)
        // The time of the last change is ignored, because editing programs write it.
        date =
            [EXIFBlock.Field.taken, .digitised].lazy
            .compactMap { exif.text($0, in: details).flatMap(Self.date) }.first
        camera = Self.camera(exif.text(.make, in: exif.main), exif.text(.model, in: exif.main))
        lens = Self.name(exif.text(.lens, in: details))
        let place = exif.directory(.placeDirectory)
        func degrees(_ field: EXIFBlock.Field, _ sign: EXIFBlock.Field, _ negative: String)
            -> Double?
        {
            guard let parts = exif.ratios(field, count: 3, in: place),
                let side = exif.text(sign, in: place)
            else { return nil }
            let degrees = parts[0] + parts[1] / 60 + parts[2] / 3600
            return side.uppercased() == negative ? -degrees : degrees
        }
        self.place(
            degrees(.latitude, .latitudeSign, "S"), degrees(.longitude, .longitudeSign, "W"))
    }

    /// Sets the place if it is plausible; devices without a position write 0° 0′.
    private mutating func place(_ north: Double?, _ east: Double?) {
        guard let north, let east, abs(north) <= 90, abs(east) <= 180, north != 0 || east != 0
        else { return }
        (latitude, longitude) = (north, east)
    }
}

/// The metadata that a decoder finds before the pixels.
struct ImageHeader {
    /// The size of the stored image, before its orientation is applied.
    var width, height: Int
    /// EXIF's orientation, from 1 to 8.
    var orientation = 1
    var exif: ArraySlice<UInt8>?
    var xmp: ArraySlice<UInt8>?
}

// MARK: Values

extension ImageFacts {
    /// Parses a date of EXIF (`2020:06:14 12:34:56`) or XMP (`2020-06-14T12:34:56.12+02:00`).
    ///
    /// - Returns: The date as `2020-06-14T12:34:56` or `2020-06-14`; `nil` if it is before 1826,
    ///   when the first photograph was taken, or after 2100.
    package static func date(_ text: String) -> String? {
        let text = text.utf8.prefix(19)
        guard text.count >= 10 else { return nil }
        let parts = text.split(omittingEmptySubsequences: false) { !(0x30...0x39).contains($0) }
            .map { Int(Substring($0)) }
        guard parts.count >= 3, let year = parts[0], let month = parts[1], let day = parts[2],
            (1826...2100).contains(year), (1...12).contains(month),
            (1...days(of: month, in: year)).contains(day)
        else { return nil }
        func padded(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let date = "\(year)-\(padded(month))-\(padded(day))"
        guard parts.count >= 5, let hour = parts[3], let minute = parts[4], hour < 24, minute < 60
        else { return date }
        let second = parts.count > 5 ? min(parts[5] ?? 0, 59) : 0
        return date + "T\(padded(hour)):\(padded(minute)):\(padded(second))"
    }

    private static func days(of month: Int, in year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        default: 31
        }
    }

    /// Returns a camera's name, without the maker if the model begins with it.
    static func camera(_ make: String?, _ model: String?) -> String? {
        guard let model = name(model) else { return nil }
        guard let make = name(make), let first = make.split(separator: " ").first,
            !model.lowercased().hasPrefix(first.lowercased())
        else { return model }
        return "\(make) \(model)"
    }

    /// Returns a text without control characters and superfluous spaces; `nil` if it is longer than
    /// 100 characters or has no letter or digit.
    static func name(_ text: String?) -> String? {
        let words = text?.split { character in
            character.isWhitespace
                || character.unicodeScalars.contains { $0.properties.generalCategory == .control }
        }
        guard let name = words?.joined(separator: " "), name.count <= 100,
            name.contains(where: { $0.isLetter || $0.isNumber })
        else { return nil }
        return name
    }

    /// Parses XMP's degrees: `52,30.5N` or `52,30,30N`.
    static func degrees(_ text: String, _ positive: Character, _ negative: Character) -> Double? {
        guard let side = text.last, [positive, negative].contains(side) else { return nil }
        let parts = text.dropLast().split(separator: ",").map { Double($0) }
        guard (1...3).contains(parts.count), parts.allSatisfy({ $0 != nil }) else { return nil }
        let degrees = zip(parts, [1, 60, 3600]).reduce(0) { $0 + ($1.0 ?? 0) / $1.1 }
        return side == negative ? -degrees : degrees
    }
}
