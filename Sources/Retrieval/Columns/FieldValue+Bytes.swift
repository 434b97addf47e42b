/// The form of a value in a column: a letter for its kind, then its contents.
///
/// Texts, dates and folders are UTF-8, numbers are 64-bit floats, flags are one byte, and each text
/// of a list is preceded by its length as a 32-bit number. All numbers are little-endian.
extension FieldValue {
    private enum Kind: UInt8 {
        case text = 0x74
        case date = 0x64
        case folder = 0x66
        case number = 0x6E
        case flag = 0x62
        case list = 0x6C
    }

    /// Appends the bytes of the value.
    func write(to bytes: inout [UInt8]) {
        func text(_ kind: Kind, _ text: String) {
            bytes.append(kind.rawValue)
            bytes.append(contentsOf: text.utf8)
        }
        switch self {
        case .plain(.text(let value)): text(.text, value)
        case .date(let value): text(.date, value)
        case .folder(let value): text(.folder, value)
        case .plain(.number(let number)):
            bytes.append(Kind.number.rawValue)
            bytes.append(littleEndian: number.bitPattern)
        case .plain(.flag(let flag)): bytes += [Kind.flag.rawValue, flag ? 1 : 0]
        case .plain(.list(let list)):
            bytes.append(Kind.list.rawValue)
            for item in list {
                bytes.append(littleEndian: UInt32(item.utf8.count))
                bytes.append(contentsOf: item.utf8)
            }
        }
    }

    /// Reads a value; nil if the bytes are not one.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let kind = bytes.first.flatMap({ Kind(rawValue: $0) }) else { return nil }
        let rest = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        func text(_ bytes: UnsafeRawBufferPointer) -> String? {
            String(validating: bytes, as: UTF8.self)
        }
        switch kind {
        case .text:
            guard let text = text(rest) else { return nil }
            self = .plain(.text(text))
        case .date:
            guard let text = text(rest) else { return nil }
            self = .date(text)
        case .folder:
            guard let text = text(rest) else { return nil }
            self = .folder(text)
        case .number:
            guard rest.count == 8 else { return nil }
            let bits = UInt64(littleEndian: rest.loadUnaligned(as: UInt64.self))
            self = .plain(.number(Double(bitPattern: bits)))
        case .flag:
            guard rest.count == 1, rest[0] <= 1 else { return nil }
            self = .plain(.flag(rest[0] == 1))
        case .list:
            var (list, place) = ([String](), 0)
            while place < rest.count {
                guard rest.count - place >= 4 else { return nil }
                let length = Int(
                    UInt32(littleEndian: rest.loadUnaligned(fromByteOffset: place, as: UInt32.self))
                )
                place += 4
                guard length <= rest.count - place,
                    let item = text(
                        UnsafeRawBufferPointer(rebasing: rest[place..<place + length]))
                else { return nil }
                list.append(item)
                place += length
            }
            self = .plain(.list(list))
        }
    }
}

extension [UInt8] {
    /// Appends the bytes of a number, the lowest first.
    mutating func append(littleEndian number: some FixedWidthInteger) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    /// Appends zeros up to a multiple of 8 bytes.
    mutating func pad() { append(contentsOf: repeatElement(0, count: (8 - count % 8) % 8)) }
}
