/// An uncompressed member of a zip archive, as `numpy.savez` writes it.
///
/// The header before the bytes has the ZIP64 form, whose length does not depend on the size. So it
/// can be written again when the size is known, which may be more than 4 GiB.
package struct ZipMember {
    /// The name.
    package let name: String
    /// The position of the header in the archive.
    package let offset: Int
    /// The checksum of the bytes.
    package var checksum: UInt32 = 0
    /// The number of the bytes.
    package var byteCount = 0

    /// Creates a member whose bytes are not known yet.
    package init(name: String, offset: Int) {
        self.name = name
        self.offset = offset
    }

    private static let full32 = Int(UInt32.max)
    /// The version of the format that a reader needs for ZIP64.
    private static let version: UInt16 = 45
    /// 1 January 1980 in MS-DOS format, so that equal arrays result in equal files.
    private static let date: UInt16 = 1 << 5 | 1

    /// A flag says that a name is UTF-8 where it is not ASCII.
    private var flags: UInt16 { name.utf8.allSatisfy { $0 < 0x80 } ? 0 : 1 << 11 }

    /// The header before the bytes.
    package var header: [UInt8] {
        var record = Record(signature: 0x0403_4B50)
        record.add(Self.version, flags, 0, 0, Self.date)
        record.add(checksum, UInt32.max, UInt32.max)
        record.add(UInt16(name.utf8.count), 20)
        record.bytes += Array(name.utf8)
        record.add(UInt16(1), 16)
        record.add(UInt64(byteCount), UInt64(byteCount))
        return record.bytes
    }

    /// The member's record in the directory at the end of the archive.
    private var directoryRecord: [UInt8] {
        var extra = Record()
        let isLarge = byteCount >= Self.full32
        if isLarge { extra.add(UInt64(byteCount), UInt64(byteCount)) }
        if offset >= Self.full32 { extra.add(UInt64(offset)) }
        var field = Record()
        if !extra.bytes.isEmpty {
            field.add(1, UInt16(extra.bytes.count))
            field.bytes += extra.bytes
        }
        var record = Record(signature: 0x0201_4B50)
        // The high byte 3 means Unix, so the external attributes hold Unix permissions.
        record.add(3 << 8 | Self.version, Self.version, flags, 0, 0, Self.date)
        let size = isLarge ? UInt32.max : UInt32(byteCount)
        record.add(checksum, size, size)
        record.add(UInt16(name.utf8.count), UInt16(field.bytes.count), 0, 0, 0)
        record.add(0o100644 << 16, UInt32(clamping: offset))
        return record.bytes + Array(name.utf8) + field.bytes
    }

    /// Returns the directory of an archive, which ends it.
    ///
    /// - Parameter start: The position of the directory in the archive.
    package static func directory(_ members: [ZipMember], at start: Int) -> [UInt8] {
        var directory = members.flatMap(\.directoryRecord)
        let (size, count) = (directory.count, members.count)
        if start >= full32 {
            var record = Record(signature: 0x0606_4B50)
            record.add(UInt64(44))
            record.add(3 << 8 | version, version)
            record.add(UInt32(0), UInt32(0))
            record.add(UInt64(count), UInt64(count), UInt64(size), UInt64(start))
            var locator = Record(signature: 0x0706_4B50)
            locator.add(UInt32(0))
            locator.add(UInt64(start + size))
            locator.add(UInt32(1))
            directory += record.bytes + locator.bytes
        }
        var end = Record(signature: 0x0605_4B50)
        end.add(0, 0, UInt16(count), UInt16(count))
        end.add(UInt32(size), UInt32(clamping: start))
        end.add(UInt16(0))
        return directory + end.bytes
    }

    /// Little-endian numbers, one after another.
    private struct Record {
        var bytes: [UInt8] = []

        init() {}
        init(signature: UInt32) { add(signature) }

        mutating func add(_ numbers: UInt16...) { for number in numbers { append(number) } }
        mutating func add(_ numbers: UInt32...) { for number in numbers { append(number) } }
        mutating func add(_ numbers: UInt64...) { for number in numbers { append(number) } }

        private mutating func append(_ number: some FixedWidthInteger) {
            withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
        }
    }
}
