/// The characters that represent bytes in the files of byte-level vocabularies.
///
/// Printable bytes of Latin-1 represent themselves; the other 68, such as the space, are
/// represented by the characters from U+0100 on, in order. The table is GPT-2's.
enum ByteCharacters {
    /// The UTF-8 of each byte's character.
    static let utf8: [[UInt8]] = {
        var next: UInt32 = 0x100
        return (UInt32(0)...0xFF).map { byte in
            var code = byte
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: break
            default:
                code = next
                next += 1
            }
            return Unicode.Scalar(code).map { Array(String(Character($0)).utf8) } ?? []
        }
    }()

    /// The bytes in CLIP's order: those that represent themselves come first.
    static let clipOrder: [Int] =
        Array(0x21...0x7E) + Array(0xA1...0xAC) + Array(0xAE...0xFF)
        + (0...0xFF).filter { !(0x21...0x7E ~= $0 || 0xA1...0xAC ~= $0 || 0xAE...0xFF ~= $0) }
}
