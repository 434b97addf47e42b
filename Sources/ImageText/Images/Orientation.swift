/// The orientation of a stored image, as numbered by EXIF: 1 is upright, 2 to 8 are rotated or
/// mirrored.
enum Orientation {
    /// Returns the place, in a stored image of the given size, of the part of the upright image that
    /// `choose` returns for the upright image's width and height.
    static func stored(
        _ orientation: Int, _ size: (width: Int, height: Int), _ choose: ImageLoader.PartChoice
    ) -> ImagePart {
        let isTurned = (5...8).contains(orientation)
        let (width, height) = isTurned ? (size.height, size.width) : (size.width, size.height)
        let part = choose(width, height)
        precondition(
            part.left >= 0 && part.top >= 0 && part.width > 0 && part.height > 0
                && part.left + part.width <= width && part.top + part.height <= height,
            "the part \(part) is not inside the image of \(width) x \(height) pixels")
        // Where the upright image begins from its right or its lower side.
        let fromRight = width - part.left - part.width
        let fromBelow = height - part.top - part.height
        let left = [2, 3, 6, 7].contains(orientation) ? fromRight : part.left
        let top = [3, 4, 7, 8].contains(orientation) ? fromBelow : part.top
        return isTurned
            ? ImagePart(left: top, top: left, width: part.height, height: part.width)
            : ImagePart(left: left, top: top, width: part.width, height: part.height)
    }

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
