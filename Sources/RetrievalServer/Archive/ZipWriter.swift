import Storage
import Torch

#if canImport(FoundationEssentials)
    package import FoundationEssentials
#else
    package import Foundation
#endif

/// Makes a zip archive of uncompressed entries, piece by piece.
///
/// The caller writes the bytes that each method returns, in order, and the bytes of each entry
/// between ``begin(_:modified:)`` and ``end()``. An entry's checksum and size follow its bytes in a
/// data descriptor, so they are right even if the file changes while it is read. An archive of more
/// than 4 GiB or 65,534 entries uses ZIP64.
package struct ZipWriter: Sendable {
    /// The most bytes of an entry.
    package static let maximumBytes = 0xFFFF_FFFE
    private static let full32 = UInt32.max

    private struct Entry {
        let name: [UInt8]
        let offset: UInt64
        /// The time of change in MS-DOS format.
        let date, time: UInt16
        /// The time of change in seconds since 1970; nil if it does not fit into 32 bits.
        let modified: Int32?
        var checksum = CRC32()
        var count = 0
    }

    /// The version of the format that a reader needs: 2.0, or 4.5 for ZIP64.
    private enum Version { static let plain: UInt16 = 20, large: UInt16 = 45 }
    /// The flags of an entry: a data descriptor follows the bytes, and the name is UTF-8.
    private static let flags: UInt16 = 1 << 3 | 1 << 11

    private let calendar: Calendar
    private var entries: [Entry] = []
    private var offset: UInt64

    /// Creates an archive without entries.
    ///
    /// - Parameters:
    ///   - offset: The number of bytes before the archive in its file; 0 by default.
    ///   - timeZone: The zone of the MS-DOS times; the current zone by default.
    package init(offset: UInt64 = 0, timeZone: TimeZone = .current) {
        self.offset = offset
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        self.calendar = calendar
    }

    /// Begins an entry.
    ///
    /// - Parameters:
    ///   - name: The entry's name, which no other entry may have. Bytes after the first 65,535 are
    ///     cut off.
    ///   - modified: The time at which the file was changed.
    /// - Returns: The header to write before the entry's bytes.
    package mutating func begin(_ name: String, modified: Date) -> [UInt8] {
        let name = Array(name.utf8.prefix(0xFFFF))
        let (date, time) = dosTime(modified)
        let seconds = modified.timeIntervalSince1970.rounded(.down)
        let entry = Entry(
            name: name, offset: offset, date: date, time: time, modified: Int32(exactly: seconds))
        entries.append(entry)
        var record = ByteRecord(0x0403_4B50)
        record.add(Version.plain, Self.flags, 0, time, date)
        record.add32(0, 0, 0)
        let extra = Self.timeField(entry)
        record.add(UInt16(name.count), UInt16(extra.count))
        return count(record.bytes + name + extra)
    }

    /// Counts bytes of the current entry and adds them to its checksum.
    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        guard let last = entries.indices.last else { preconditionFailure("no entry was begun") }
        entries[last].checksum.update(bytes)
        entries[last].count += bytes.count
        precondition(entries[last].count <= Self.maximumBytes, "an entry exceeds 4 GiB")
        offset += UInt64(bytes.count)
    }

    /// Ends the current entry.
    ///
    /// - Returns: The data descriptor to write after the entry's bytes.
    package mutating func end() -> [UInt8] {
        guard let entry = entries.last else { preconditionFailure("no entry was begun") }
        var record = ByteRecord(0x0807_4B50)
        record.add32(entry.checksum.value, UInt32(entry.count), UInt32(entry.count))
        return count(record.bytes)
    }

    /// Ends the archive.
    ///
    /// - Returns: The directory of the entries, which ends the file.
    package mutating func finish() -> [UInt8] {
        let start = offset
        var directory: [UInt8] = []
        for entry in entries { directory += Self.directoryRecord(entry) }
        let (size, total) = (UInt64(directory.count), entries.count)
        let isLarge = start >= UInt64(Self.full32) || total >= 0xFFFF
        if isLarge {
            var record = ByteRecord(0x0606_4B50)
            record.add64(44)
            record.add(3 << 8 | Version.large, Version.large)
            record.add32(0, 0)
            record.add64(UInt64(total), UInt64(total), size, start)
            var locator = ByteRecord(0x0706_4B50)
            locator.add32(0)
            locator.add64(start + size)
            locator.add32(1)
            directory += record.bytes + locator.bytes
        }
        var end = ByteRecord(0x0605_4B50)
        let shown = UInt16(min(total, 0xFFFF))
        end.add(0, 0, shown, shown)
        end.add32(UInt32(clamping: size), UInt32(clamping: start))
        end.add(0)
        return count(directory + end.bytes)
    }

    private mutating func count(_ bytes: [UInt8]) -> [UInt8] {
        offset += UInt64(bytes.count)
        return bytes
    }

    private static func directoryRecord(_ entry: Entry) -> [UInt8] {
        let isFar = entry.offset >= UInt64(full32)
        let version = isFar ? Version.large : Version.plain
        var extra = timeField(entry)
        if isFar {
            var field = ByteRecord()
            field.add(0x0001, 8)
            field.add64(entry.offset)
            extra += field.bytes
        }
        var record = ByteRecord(0x0201_4B50)
        // The high byte 3 means Unix, so the external attributes hold Unix permissions.
        record.add(3 << 8 | version, version, flags, 0, entry.time, entry.date)
        record.add32(entry.checksum.value, UInt32(entry.count), UInt32(entry.count))
        record.add(UInt16(entry.name.count), UInt16(extra.count), 0, 0, 0)
        record.add32(0o100644 << 16, isFar ? full32 : UInt32(entry.offset))
        return record.bytes + entry.name + extra
    }

    /// Returns the extended-timestamp field: the time in seconds, independent of the zone.
    private static func timeField(_ entry: Entry) -> [UInt8] {
        guard let modified = entry.modified else { return [] }
        var field = ByteRecord()
        field.add(0x5455, 5)
        return field.bytes + [1] + withUnsafeBytes(of: modified.littleEndian, Array.init)
    }

    /// Returns a time in MS-DOS format, which has steps of two seconds from 1980 to 2107.
    private func dosTime(_ date: Date) -> (date: UInt16, time: UInt16) {
        let parts = calendar.dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: date)
        let (year, month, day) = (parts.year ?? 1980, parts.month ?? 1, parts.day ?? 1)
        guard year >= 1980 else { return (1 << 5 | 1, 0) }
        guard year <= 2107 else { return (127 << 9 | 12 << 5 | 31, 23 << 11 | 59 << 5 | 29) }
        let (hour, minute, second) = (parts.hour ?? 0, parts.minute ?? 0, parts.second ?? 0)
        return (
            UInt16(year - 1980) << 9 | UInt16(month) << 5 | UInt16(day),
            UInt16(hour) << 11 | UInt16(minute) << 5 | UInt16(min(second, 59) / 2)
        )
    }
}

/// A record of little-endian numbers.
private struct ByteRecord {
    private(set) var bytes: [UInt8] = []

    init() {}

    /// Creates a record that begins with a signature.
    init(_ signature: UInt32) { add32(signature) }

    mutating func add(_ numbers: UInt16...) { for number in numbers { append(number) } }
    mutating func add32(_ numbers: UInt32...) { for number in numbers { append(number) } }
    mutating func add64(_ numbers: UInt64...) { for number in numbers { append(number) } }

    private mutating func append(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }
}
