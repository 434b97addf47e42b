/// The metadata of a JPEG before its first scan that the decoder does not report.
struct JPEGSegments {
    /// EXIF's orientation, otherwise XMP's, otherwise 1.
    private(set) var orientation = 1
    /// The first EXIF block.
    private(set) var exif: ArraySlice<UInt8>?
    /// The first XMP packet.
    private(set) var xmp: ArraySlice<UInt8>?
    /// The complete embedded ICC profile, or `nil`.
    private(set) var profile: [UInt8]?

    private static let exifName = Array("Exif\0\0".utf8)
    private static let xmpName = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
    private static let icc = Array("ICC_PROFILE\0".utf8)

    init(_ jpeg: [UInt8]) {
        var fromEXIF: Int?
        var fromXMP: Int?
        var pieces: [Int: ArraySlice<UInt8>] = [:]
        var expected = 0
        Self.forEachSegment(jpeg) { marker, body in
            if marker == 0xE1, body.starts(with: Self.exifName) {
                exif = exif ?? body
                fromEXIF = fromEXIF ?? Orientation.exif(body)
            } else if marker == 0xE1, body.starts(with: Self.xmpName) {
                let packet = body.dropFirst(Self.xmpName.count)
                xmp = xmp ?? packet
                fromXMP = fromXMP ?? Orientation.xmp(packet)
            } else if marker == 0xE2, body.starts(with: Self.icc), body.count > 14 {
                let piece = body.dropFirst(Self.icc.count)
                expected = Int(piece[piece.startIndex + 1])
                pieces[Int(piece[piece.startIndex])] = piece.dropFirst(2)
            }
        }
        orientation = fromEXIF ?? fromXMP ?? 1
        if expected > 0, pieces.count == expected {
            let ordered = (1...expected).compactMap { pieces[$0] }
            if ordered.count == expected { profile = Array(ordered.joined()) }
        }
    }

    /// Visits the marker segments up to the first scan, skipping junk as libjpeg does.
    private static func forEachSegment(
        _ jpeg: [UInt8], _ visit: (UInt8, ArraySlice<UInt8>) -> Void
    ) {
        var position = 2
        while position < jpeg.count {
            guard let mark = jpeg[position...].firstIndex(of: 0xFF),
                let code = jpeg[mark...].firstIndex(where: { $0 != 0xFF })
            else { return }
            position = code + 1
            switch jpeg[code] {
            case 0x00, 0x01, 0xD0...0xD8: continue
            case 0xD9, 0xDA: return
            default: break
            }
            guard position + 2 <= jpeg.count else { return }
            let length = Int(jpeg[position]) << 8 | Int(jpeg[position + 1])
            guard length >= 2, position + length <= jpeg.count else { return }
            visit(jpeg[code], jpeg[position + 2..<position + length])
            position += length
        }
    }
}
