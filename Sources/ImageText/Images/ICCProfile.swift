import Storage

/// Recognises embedded sRGB profiles, so that most images need no colour management.
enum ICCProfile {
    /// The XYZ coordinates of sRGB's red, green and blue, adapted to D50.
    private static let primaries: [(tag: StaticString, xyz: [Double])] = [
        ("rXYZ", [0.4360, 0.2225, 0.0139]),
        ("gXYZ", [0.3851, 0.7169, 0.0971]),
        ("bXYZ", [0.1431, 0.0606, 0.7141]),
    ]

    /// Returns whether a profile has sRGB's primaries within rounding, and at half way sRGB's curve
    /// or that of a plain gamma of 2.2.
    static func isSRGB(_ profile: [UInt8]) -> Bool {
        let bytes = Bytes(profile[...])
        guard profile.count > 132, profile[16..<20].elementsEqual("RGB ".utf8) else {
            return false
        }
        for (tag, xyz) in primaries {
            guard let start = offset(of: tag, bytes) else { return false }
            for (index, wanted) in xyz.enumerated() {
                guard let value = fixed(bytes, start + 8 + 4 * index),
                    abs(value - wanted) < 0.003
                else { return false }
            }
        }
        guard let start = offset(of: "rTRC", bytes), let middle = curve(bytes, start) else {
            return false
        }
        return abs(middle - 0.214) < 0.01
    }

    private static func offset(of tag: StaticString, _ bytes: Bytes) -> Int? {
        let wanted = tag.withUTF8Buffer { $0.reduce(0) { $0 << 8 | Int($1) } }
        guard let count = bytes.u32(128, true) else { return nil }
        for entry in 0..<min(count, 100) where bytes.u32(132 + 12 * entry, true) == wanted {
            return bytes.u32(136 + 12 * entry, true)
        }
        return nil
    }

    private static func fixed(_ bytes: Bytes, _ offset: Int) -> Double? {
        bytes.u32(offset, true).map { Double(Int32(truncatingIfNeeded: $0)) / 65536 }
    }

    /// Returns the tone curve's value at 0.5.
    private static func curve(_ bytes: Bytes, _ start: Int) -> Double? {
        switch bytes.u32(start, true) {
        case 0x6375_7276:  // curv: a gamma or a table
            guard let count = bytes.u32(start + 8, true), count > 0 else { return nil }
            if count == 1 {
                return bytes.u16(start + 12, true).map { pow(0.5, Double($0) / 256) }
            }
            return bytes.u16(start + 12 + 2 * (count / 2), true).map { Double($0) / 65535 }
        case 0x7061_7261:  // para: (a x + b) ^ g above a threshold that is below one half
            guard let kind = bytes.u16(start + 8, true), let gamma = fixed(bytes, start + 12) else {
                return nil
            }
            if kind == 0 { return pow(0.5, gamma) }
            guard kind == 3, let a = fixed(bytes, start + 16), let b = fixed(bytes, start + 20)
            else { return nil }
            return pow(a * 0.5 + b, gamma)
        default:
            return nil
        }
    }
}
