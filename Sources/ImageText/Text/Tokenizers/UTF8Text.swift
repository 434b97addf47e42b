/// Reads scalars from valid UTF-8.
enum UTF8Text {
    /// Returns the number of bytes of the scalar that begins with a byte.
    static func width(_ first: UInt8) -> Int {
        switch first {
        case ..<0xC0: 1
        case ..<0xE0: 2
        case ..<0xF0: 3
        default: 4
        }
    }

    /// Returns the scalar that begins at a position.
    static func scalar(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) -> UInt32 {
        let first = UInt32(bytes[place])
        func tail(_ offset: Int) -> UInt32 { UInt32(bytes[place + offset]) & 0x3F }
        switch first {
        case ..<0x80: return first
        case ..<0xE0: return (first & 0x1F) << 6 | tail(1)
        case ..<0xF0: return (first & 0x0F) << 12 | tail(1) << 6 | tail(2)
        default: return (first & 0x07) << 18 | tail(1) << 12 | tail(2) << 6 | tail(3)
        }
    }

    /// Maps every scalar of a text to any number of scalars.
    static func mapping(
        _ bytes: [UInt8], _ transform: (Unicode.Scalar, inout String.UnicodeScalarView) -> Void
    ) -> [UInt8] {
        var result = String.UnicodeScalarView()
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            transform(scalar, &result)
        }
        return Array(String(result).utf8)
    }
}
