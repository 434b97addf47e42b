/// The orientation of a stored image, as numbered by EXIF: 1 is upright, 2 to 8 are rotated or
/// mirrored.
enum Orientation {
    /// Returns the orientation in an EXIF block, with or without its `Exif\0\0` prefix.
    ///
    /// The result is `nil` if the block is damaged or has no orientation.
    static func exif(_ block: ArraySlice<UInt8>) -> Int? {
        guard let block = EXIFBlock(block), let value = block.number(.orientation, in: block.main)
        else { return nil }
        return (1...8).contains(value) ? value : nil
    }

    /// Decodes an EXIF block that ImageMagick stored as text: a name, a length, hexadecimal digits.
    static func block(hexadecimal text: String) -> [UInt8]? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count > 2, fields[0] == "exif" else { return nil }
        let digits = fields[2...].joined().compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }

    /// Returns the orientation in an XMP packet: `tiff:Orientation` as an attribute or an element.
    static func xmp(_ packet: some Collection<UInt8>) -> Int? {
        let packet = Array(packet)
        let name = Array("tiff:Orientation".utf8)
        var start = packet.startIndex
        while let found = packet[start...].firstRange(of: name) {
            // Only `="`, `='`, `>` or blanks can stand between the name and the digit.
            let rest = packet[found.upperBound...].drop { byte in
                [0x20, 0x09, 0x0A, 0x0D, 0x22, 0x27, 0x3D, 0x3E].contains(byte)
            }
            if let digit = rest.first, (0x31...0x38).contains(digit) { return Int(digit) - 0x30 }
            start = found.upperBound
        }
        return nil
    }
}
