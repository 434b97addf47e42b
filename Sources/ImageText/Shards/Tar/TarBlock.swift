/// A header of a tar archive: 512 bytes with fields at fixed places.
struct TarBlock {
    /// The length of a header, and the unit of an archive's length.
    static let byteCount = 512

    /// The kind of a member, by its type flag.
    enum Kind: Equatable {
        /// A file whose content follows.
        case file
        /// A folder, a link or a device; nothing follows.
        case other
        /// A sparse file in GNU's form, or a kind that is not known; its content follows.
        case unsupported
        /// A name of the next member that does not fit its header, in GNU's form.
        case longName
        /// Something about the next member that is not needed.
        case ignored
        /// Records of the next member, in the form of POSIX.
        case records
        case folder
    }

    private let bytes: [UInt8]

    /// Creates a header of exactly 512 bytes.
    init(_ bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount)
        self.bytes = bytes
    }

    /// Whether all bytes are zero, as at the end of an archive.
    var isZero: Bool { bytes.allSatisfy { $0 == 0 } }

    /// Whether the checksum is right.
    ///
    /// It is the sum of all bytes, with its own field read as spaces; some old programs added the
    /// bytes as signed numbers.
    var isIntact: Bool {
        guard let stored = number(148, 8) else { return false }
        var (unsigned, signed): (Int64, Int64) = (0, 0)
        for (index, byte) in bytes.enumerated() {
            let byte = (148..<156).contains(index) ? UInt8(ascii: " ") : byte
            unsigned += Int64(byte)
            signed += Int64(Int8(bitPattern: byte))
        }
        return stored == unsigned || stored == signed
    }

    /// The kind of the member.
    var kind: Kind {
        switch bytes[156] {
        case 0 where bytes[..<100].prefix(while: { $0 != 0 }).last == UInt8(ascii: "/"): .folder
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): .file
        case UInt8(ascii: "5"): .folder
        case UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "4"),
            UInt8(ascii: "6"):
            .other
        case UInt8(ascii: "L"): .longName
        case UInt8(ascii: "K"), UInt8(ascii: "g"): .ignored
        case UInt8(ascii: "x"), UInt8(ascii: "X"): .records
        default: .unsupported
        }
    }

    /// Whether another 512 bytes of a sparse file's map follow this header, in GNU's form.
    var hasSparseExtension: Bool { bytes[156] == UInt8(ascii: "S") && bytes[482] != 0 }

    /// The length of the content in bytes; `nil` if the field is no number of 0 or more.
    var size: Int64? { number(124, 12) }

    /// The name, with the prefix of POSIX's form.
    var name: [UInt8] {
        let name = text(0, 100)
        // GNU's form has other fields in place of the prefix.
        guard Array(bytes[257..<263]) == Array("ustar\0".utf8) else { return name }
        let prefix = text(345, 155)
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    private func text(_ offset: Int, _ count: Int) -> [UInt8] {
        Array(bytes[offset..<offset + count].prefix { $0 != 0 })
    }

    /// Reads an octal number, or GNU's binary form of large ones.
    private func number(_ offset: Int, _ count: Int) -> Int64? {
        let field = bytes[offset..<offset + count]
        if bytes[offset] & 0x80 != 0 {
            // The second bit is the sign.
            guard bytes[offset] & 0x40 == 0 else { return nil }
            var value = Int64(bytes[offset] & 0x3F)
            for byte in field.dropFirst() {
                guard value < 1 << 54 else { return nil }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == UInt8(ascii: " ") }
            .prefix { $0 != 0 && $0 != UInt8(ascii: " ") }
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }) else {
            return nil
        }
        // At most 12 digits of 3 bits.
        return digits.reduce(0) { $0 << 3 | Int64($1 - UInt8(ascii: "0")) }
    }
}
