/// The fields of an EXIF block in TIFF format, with offsets that may be wrong.
///
/// A field that lies outside the block or has an unexpected type counts as missing.
struct EXIFBlock {
    /// A field, by its tag number.
    enum Field: Int {
        case make = 0x010F
        case model = 0x0110
        case orientation = 0x0112
        case changed = 0x0132
        case exifDirectory = 0x8769
        case placeDirectory = 0x8825
        case taken = 0x9003
        case digitised = 0x9004
        case lens = 0xA434
        // In the GPS directory.
        case latitudeSign = 0x0001
        case latitude = 0x0002
        case longitudeSign = 0x0003
        case longitude = 0x0004
    }

    /// The offset of each field's entry; of repeated fields the first counts.
    typealias Directory = [Int: Int]

    /// The first directory of the block.
    let main: Directory
    private let bytes: Bytes
    private let isBigEndian: Bool

    private static let prefix: [UInt8] = Array("Exif\0\0".utf8)

    /// Reads a block, with or without its `Exif\0\0` prefix; `nil` if its header is damaged.
    init?(_ block: ArraySlice<UInt8>) {
        let isPrefixed = block.starts(with: Self.prefix)
        bytes = Bytes(isPrefixed ? block.dropFirst(Self.prefix.count) : block)
        switch (bytes.u8(0), bytes.u8(1)) {
        case (0x49, 0x49): isBigEndian = false
        case (0x4D, 0x4D): isBigEndian = true
        default: return nil
        }
        guard bytes.u16(2, isBigEndian) == 42, let start = bytes.u32(4, isBigEndian) else {
            return nil
        }
        main = Self.directory(at: start, bytes, isBigEndian)
    }

    /// Returns a directory that the main one points to; empty if there is no pointer.
    func directory(_ field: Field) -> Directory {
        number(field, in: main).map { Self.directory(at: $0, bytes, isBigEndian) } ?? [:]
    }

    private static func directory(at start: Int, _ bytes: Bytes, _ isBigEndian: Bool) -> Directory {
        var directory: Directory = [:]
        for entry in 0..<(bytes.u16(start, isBigEndian) ?? 0) {
            let place = start + 2 + 12 * entry
            guard let field = bytes.u16(place, isBigEndian) else { break }
            if directory[field] == nil { directory[field] = place }
        }
        return directory
    }

    /// Returns an integer field.
    func number(_ field: Field, in directory: Directory) -> Int? {
        guard let place = directory[field.rawValue] else { return nil }
        return switch bytes.u16(place + 2, isBigEndian) {
        case 1: bytes.u8(place + 8)
        case 3: bytes.u16(place + 8, isBigEndian)
        case 4: bytes.u32(place + 8, isBigEndian)
        default: nil
        }
    }

    /// Returns a text field up to its first zero byte, as UTF-8 if valid, otherwise as Latin-1.
    func text(_ field: Field, in directory: Directory) -> String? {
        guard let place = directory[field.rawValue],
            [2, 129].contains(bytes.u16(place + 2, isBigEndian)),
            let count = bytes.u32(place + 4, isBigEndian), count <= 4096,
            let start = count <= 4 ? place + 8 : bytes.u32(place + 8, isBigEndian)
        else { return nil }
        var text: [UInt8] = []
        for offset in start..<start + count {
            guard let byte = bytes.u8(offset) else { return nil }
            if byte == 0 { break }
            text.append(UInt8(byte))
        }
        return String(validating: text, as: UTF8.self)
            ?? String(String.UnicodeScalarView(text.map { Unicode.Scalar($0) }))
    }

    /// Returns a field of ratios, such as degrees, minutes and seconds; `nil` if a denominator is
    /// 0.
    func ratios(_ field: Field, count: Int, in directory: Directory) -> [Double]? {
        guard let place = directory[field.rawValue],
            bytes.u16(place + 2, isBigEndian) == 5,
            bytes.u32(place + 4, isBigEndian) == count,
            let start = bytes.u32(place + 8, isBigEndian)
        else { return nil }
        let ratios = (0..<count).compactMap { index -> Double? in
            guard let above = bytes.u32(start + 8 * index, isBigEndian),
                let below = bytes.u32(start + 8 * index + 4, isBigEndian), below != 0
            else { return nil }
            return Double(above) / Double(below)
        }
        return ratios.count == count ? ratios : nil
    }
}

/// Bounds-checked integers of a block with offsets that may be wrong.
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
