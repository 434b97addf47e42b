import Storage
import SystemPackage

/// The table of contents of a zip archive whose entries are not compressed.
///
/// It is read from the central directory and checked against the header of each entry. No two
/// entries may overlap, and none may exceed the file.
struct ZipArchive {
    struct Entry {
        let name: String
        let checksum: UInt32
        let headerOffset: Int
        let byteCount: Int
        /// The position of the data in the file, in bytes.
        var data: Range<Int>
    }

    let file: MappedFile
    let entries: [String: Entry]

    private static let maximumEntries = 1_000_000

    init(_ file: MappedFile) throws {
        self.file = file
        entries = try file.withUnsafeBytes { bytes in
            let directory = try ZipArchive.directory(bytes, file: file.path)
            var cursor = ByteCursor(
                UnsafeRawBufferPointer(rebasing: bytes[..<directory.end]), file: file.path,
                offset: directory.start)
            var entries: [Entry] = []
            for _ in 0..<directory.count {
                var entry = try ZipArchive.centralEntry(&cursor)
                try ZipArchive.locate(&entry, bytes, directory: directory, file: file.path)
                entries.append(entry)
            }
            return try ZipArchive.disjoint(entries, file: file.path)
        }
    }

    /// Returns the data of an entry; nil if no entry has the name.
    func storage(_ name: String) -> TensorStorage? {
        entries[name].flatMap {
            TensorStorage(file: file, offset: $0.data.lowerBound, byteCount: $0.byteCount)
        }
    }

    /// Compares the data of an entry with its checksum.
    ///
    /// - Complexity: O(n) for n bytes of data.
    func verify(_ name: String) throws {
        guard let entry = entries[name], let data = storage(name) else { return }
        guard data.withUnsafeBytes(CRC32.checksum) == entry.checksum else {
            throw FileError(
                file.path, .malformed("the data of \(name) does not match its checksum"))
        }
    }

    /// Returns the entries by name; throws if two have the same name or overlap.
    private static func disjoint(_ entries: [Entry], file: FilePath) throws -> [String: Entry] {
        var end = 0
        var named: [String: Entry] = [:]
        for entry in entries.sorted(by: { $0.headerOffset < $1.headerOffset }) {
            guard entry.headerOffset >= end else {
                throw FileError(file, .malformed("the entry \(entry.name) overlaps another"))
            }
            end = entry.data.upperBound
            guard named.updateValue(entry, forKey: entry.name) == nil else {
                throw FileError(file, .malformed("two entries have the name \(entry.name)"))
            }
        }
        return named
    }

    /// Reads one record of the central directory, without the position of its data.
    private static func centralEntry(_ cursor: inout ByteCursor) throws -> Entry {
        let what = "the zip directory"
        guard try cursor.integer(UInt32.self, what) == 0x0201_4B50 else {
            throw FileError(cursor.file, .malformed("\(what) has a bad record"))
        }
        _ = try cursor.take(4, what)
        let flags = try cursor.integer(UInt16.self, what)
        let method = try cursor.integer(UInt16.self, what)
        _ = try cursor.take(4, what)
        let checksum = try cursor.integer(UInt32.self, what)
        var sizes = [
            Int(try cursor.integer(UInt32.self, what)), Int(try cursor.integer(UInt32.self, what)),
        ]
        let nameLength = Int(try cursor.integer(UInt16.self, what))
        let extraLength = Int(try cursor.integer(UInt16.self, what))
        let commentLength = Int(try cursor.integer(UInt16.self, what))
        _ = try cursor.take(8, what)
        var offset = Int(try cursor.integer(UInt32.self, what))
        let name = try cursor.string(nameLength, "the name of a zip entry")
        var extra = ByteCursor(try cursor.take(extraLength, what), file: cursor.file)
        _ = try cursor.take(commentLength, what)
        // The header stores the compressed size before the size. The zip64 extra field stores them
        // in the opposite order, and each only if its 32-bit field has the largest value.
        while extra.remaining >= 4 {
            let kind = try extra.integer(UInt16.self, what)
            let length = Int(try extra.integer(UInt16.self, what))
            var field = ByteCursor(try extra.take(length, what), file: cursor.file)
            guard kind == 1 else { continue }
            if sizes[1] == 0xFFFF_FFFF { sizes[1] = try field.size("the size of \(name)") }
            if sizes[0] == 0xFFFF_FFFF { sizes[0] = try field.size("the size of \(name)") }
            if offset == 0xFFFF_FFFF { offset = try field.size("the offset of \(name)") }
        }
        guard flags & 1 == 0 else {
            throw FileError(cursor.file, .unsupported("the entry \(name) is encrypted"))
        }
        guard method == 0 || !name.contains("/code/") else {
            throw FileError(cursor.file, .torchScript)
        }
        guard method == 0 else {
            throw FileError(
                cursor.file,
                .unsupported("the entry \(name) is compressed, which torch.save never does"))
        }
        guard sizes[0] == sizes[1] else {
            throw FileError(cursor.file, .malformed("the entry \(name) has two different sizes"))
        }
        return Entry(
            name: name, checksum: checksum, headerOffset: offset, byteCount: sizes[1], data: 0..<0)
    }

    /// Finds the data of an entry, which follows the entry's own header.
    private static func locate(
        _ entry: inout Entry, _ bytes: UnsafeRawBufferPointer, directory: Directory,
        file: FilePath
    ) throws {
        let what = "the entry \(entry.name)"
        var cursor = ByteCursor(
            UnsafeRawBufferPointer(rebasing: bytes[..<directory.start]), file: file,
            offset: entry.headerOffset)
        guard entry.headerOffset <= directory.start,
            try cursor.integer(UInt32.self, what) == 0x0403_4B50
        else { throw FileError(file, .malformed("\(what) is not where it should be")) }
        _ = try cursor.take(22, what)
        let nameLength = Int(try cursor.integer(UInt16.self, what))
        let extraLength = Int(try cursor.integer(UInt16.self, what))
        guard try cursor.string(nameLength, what) == entry.name else {
            throw FileError(file, .malformed("\(what) has another name in its own header"))
        }
        _ = try cursor.take(extraLength, what)
        let start = cursor.offset
        _ = try cursor.take(entry.byteCount, what)
        entry.data = start..<cursor.offset
    }
}

extension ZipArchive {
    struct Directory {
        let start: Int
        let end: Int
        let count: Int
    }

    /// Finds the central directory, starting from the end of the file.
    private static func directory(
        _ bytes: UnsafeRawBufferPointer, file: FilePath
    ) throws -> Directory {
        let what = "the end of the zip archive"
        let missing = FileError(
            file,
            .malformed("the zip directory at its end is missing; download or copy the file again"))
        guard bytes.count >= 22 else { throw missing }
        // A comment of up to 65,535 bytes may follow the record.
        let earliest = max(0, bytes.count - 22 - 0xFFFF)
        let found = stride(from: bytes.count - 22, through: earliest, by: -1).first { place in
            bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self).littleEndian == 0x0605_4B50
        }
        guard let found else { throw missing }
        var cursor = ByteCursor(bytes, file: file, offset: found + 4)
        _ = try cursor.take(6, what)
        var count = Int(try cursor.integer(UInt16.self, what))
        var size = Int(try cursor.integer(UInt32.self, what))
        var start = Int(try cursor.integer(UInt32.self, what))
        var limit = found
        if count == 0xFFFF || size == 0xFFFF_FFFF || start == 0xFFFF_FFFF {
            guard found >= 20 else { throw missing }
            var locator = ByteCursor(bytes, file: file, offset: found - 20)
            guard try locator.integer(UInt32.self, what) == 0x0706_4B50 else { throw missing }
            _ = try locator.take(4, what)
            limit = try locator.size(what)
            guard limit <= found - 20 else { throw missing }
            var record = ByteCursor(bytes, file: file, offset: limit)
            guard try record.integer(UInt32.self, what) == 0x0606_4B50 else { throw missing }
            _ = try record.take(28, what)
            count = try record.size("the number of zip entries")
            size = try record.size("the size of the zip directory")
            start = try record.size("the offset of the zip directory")
        }
        guard count <= maximumEntries else {
            throw FileError(
                file, .limit(what: "the number of zip entries", limit: maximumEntries))
        }
        let (end, overflow) = start.addingReportingOverflow(size)
        guard !overflow, end <= limit, count <= size / 46 else {
            throw FileError(file, .malformed("the zip directory is not where it should be"))
        }
        return Directory(start: start, end: end, count: count)
    }
}
