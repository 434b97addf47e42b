/// Which way up a picture is stored, by EXIF's numbers: 1 upright, 2 to 8 turned or mirrored.
enum Orientation {
    /// The orientation in a TIFF-shaped EXIF block, with or without its `Exif\0\0` prefix.
    ///
    /// `nil` for a block without one, and for one too broken to say.
    static func exif(_ block: ArraySlice<UInt8>) -> Int? {
        var block = block
        if block.starts(with: [0x45, 0x78, 0x69, 0x66, 0, 0]) { block = block.dropFirst(6) }
        let bytes = Bytes(block)
        let bigEndian: Bool
        switch (bytes.u8(0), bytes.u8(1)) {
        case (0x49, 0x49): bigEndian = false
        case (0x4D, 0x4D): bigEndian = true
        default: return nil
        }
        guard bytes.u16(2, bigEndian) == 42, let directory = bytes.u32(4, bigEndian),
            let count = bytes.u16(directory, bigEndian)
        else { return nil }
        for entry in 0..<count {
            let start = directory + 2 + 12 * entry
            guard let tag = bytes.u16(start, bigEndian) else { return nil }
            guard tag == 0x0112, let type = bytes.u16(start + 2, bigEndian) else { continue }
            let value: Int? =
                switch type {
                case 1: bytes.u8(start + 8)
                case 3: bytes.u16(start + 8, bigEndian)
                case 4: bytes.u32(start + 8, bigEndian)
                default: nil
                }
            return value.flatMap { (1...8).contains($0) ? $0 : nil }
        }
        return nil
    }

    /// The orientation in an EXIF block that ImageMagick spelled out: a name, a length, digits.
    static func hexadecimalEXIF(_ text: String) -> Int? {
        let fields = text.split(whereSeparator: \.isWhitespace)
        guard fields.count > 2, fields[0] == "exif" else { return nil }
        let digits = fields[2...].joined().utf8.compactMap {
            Character(UnicodeScalar($0)).hexDigitValue
        }
        let block = stride(from: 0, to: digits.count - 1, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
        return exif(block[...])
    }

    /// The orientation in an XMP packet: `tiff:Orientation` as an attribute or an element.
    static func xmp(_ packet: some Collection<UInt8>) -> Int? {
        let packet = Array(packet)
        let name = Array("tiff:Orientation".utf8)
        var start = packet.startIndex
        while let found = packet[start...].firstRange(of: name) {
            // Between the name and the digit stand `="`, `='`, `>` or blanks, nothing more.
            let rest = packet[found.upperBound...].drop { byte in
                [0x20, 0x09, 0x0A, 0x0D, 0x22, 0x27, 0x3D, 0x3E].contains(byte)
            }
            if let digit = rest.first, (0x31...0x38).contains(digit) { return Int(digit) - 0x30 }
            start = found.upperBound
        }
        return nil
    }
}

/// Bounds-checked integers of a block whose offsets cannot be trusted.
struct Bytes {
    private let block: ArraySlice<UInt8>

    init(_ block: ArraySlice<UInt8>) { self.block = block }

    func u8(_ offset: Int) -> Int? {
        guard offset >= 0, offset < block.count else { return nil }
        return Int(block[block.startIndex + offset])
    }

    func u16(_ offset: Int, _ bigEndian: Bool) -> Int? {
        guard let first = u8(offset), let second = u8(offset + 1) else { return nil }
        return bigEndian ? first << 8 | second : second << 8 | first
    }

    func u32(_ offset: Int, _ bigEndian: Bool) -> Int? {
        guard let first = u16(offset, bigEndian), let second = u16(offset + 2, bigEndian) else {
            return nil
        }
        return bigEndian ? first << 16 | second : second << 16 | first
    }
}
