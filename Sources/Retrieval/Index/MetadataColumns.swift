import ImageText
import Storage
import Synchronization
import SystemPackage
import Torch

/// The metadata and fields of a segment's rows by name, so that filters need not decode every entry
/// in every search.
///
/// A value that many rows share is stored once. Values that exceed the available memory are read
/// from their entries, so the memory is bounded for any metadata.
struct MetadataColumns: Sendable {
    /// The values of all rows with one name.
    struct Column: Sendable {
        /// The distinct values.
        var values: [FieldValue] = []
        /// For each row ``none``, ``unkept``, or the index of its value counted from 1.
        var codes: [UInt32]

        /// The code of a row without a value.
        static let none: UInt32 = 0
        /// The code of a row whose value was not stored, for lack of room.
        static let unkept = UInt32.max
    }

    /// The approximate number of bytes that may be stored per row.
    private static let bytesPerRow = 1024

    private(set) var columns: [String: Column] = [:]
    /// Whether every name has a column.
    private(set) var isComplete = true
    private var room: Int
    private let rows: Int

    /// Reads the metadata of all rows.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n rows.
    init(_ segment: IndexSegment) throws {
        rows = segment.count
        room = max(1 << 16, rows * Self.bytesPerRow)
        var known: [String: [FieldValue: UInt32]] = [:]
        for row in 0..<rows {
            for (name, value) in try Self.values(of: row, segment) {
                keep(value, name, row, &known)
            }
        }
    }

    private mutating func keep(
        _ value: FieldValue, _ name: String, _ row: Int,
        _ known: inout [String: [FieldValue: UInt32]]
    ) {
        if columns[name] == nil {
            guard take(rows * 4 + name.utf8.count) else {
                isComplete = false
                return
            }
            columns[name] = Column(codes: Array(repeating: Column.none, count: rows))
        }
        if let code = known[name]?[value] {
            columns[name]?.codes[row] = code
        } else if take(value.byteCount), let count = columns[name]?.values.count {
            columns[name]?.values.append(value)
            columns[name]?.codes[row] = UInt32(count + 1)
            known[name, default: [:]][value] = UInt32(count + 1)
        } else {
            columns[name]?.codes[row] = Column.unkept
        }
    }

    private mutating func take(_ bytes: Int) -> Bool {
        guard bytes <= room else { return false }
        room -= bytes
        return true
    }

    /// Returns the values of a row with their names.
    ///
    /// - Throws: ``IndexError`` if the entry is damaged.
    private static func values(
        of row: Int, _ segment: IndexSegment
    ) throws -> [(name: String, value: FieldValue)] {
        // This takes a third of the time of decoding the entry.
        let quick = try segment.withEntryBytes(row) { bytes in
            try? JSONValue(bytes, file: segment.path, what: "an entry").fieldValues
        }
        if let quick { return quick }
        let entry = try segment.entry(row)
        let names = Set(entry.metadata.keys).union(EntryField.allCases.map(\.rawValue))
        return names.compactMap { name in entry.value(name).map { (name, $0) } }
    }
}

extension JSONValue {
    /// The values of an entry with their names; nil if the JSON is not a valid entry, or its path
    /// is not UTF-8.
    fileprivate var fieldValues: [(name: String, value: FieldValue)]? {
        guard let members = object else { return nil }
        var (given, fields): ([(name: String, value: FieldValue)], [JSONValue.Member]) = ([], [])
        var (path, size): (String?, Int?)
        for member in members {
            switch member.name {
            case "metadata":
                for item in member.value.object ?? [] {
                    guard let value = MetadataValue(item.value) else { return nil }
                    given.append((item.name, .plain(value)))
                }
            case "about": fields = member.value.object ?? []
            case "path": path = member.value.string
            case "size": size = member.value.integer
            default: break
            }
        }
        guard let path, let size else { return nil }
        let names = Set(given.map(\.name))
        let folder = FilePath(path).removingLastComponent().string
        let about = ImageFacts(fields)
        return given
            + EntryField.allCases.compactMap { field in
                guard !names.contains(field.rawValue) else { return nil }
                return IndexEntry.value(field, folder: folder, size: size, about: about).map {
                    (field.rawValue, $0)
                }
            }
    }
}

extension ImageFacts {
    /// Reads the facts in an entry's JSON.
    fileprivate init(_ members: [JSONValue.Member]) {
        self.init()
        func double(_ value: JSONValue) -> Double? {
            if case .number(let text) = value { Double(text) } else { nil }
        }
        for member in members {
            switch CodingKeys(rawValue: member.name) {
            case .date: date = member.value.string
            case .width: width = member.value.integer
            case .height: height = member.value.integer
            case .camera: camera = member.value.string
            case .lens: lens = member.value.string
            case .latitude: latitude = double(member.value)
            case .longitude: longitude = double(member.value)
            case nil: break
            }
        }
    }
}

extension MetadataValue {
    /// Converts a value of an entry's JSON; nil if metadata cannot have it.
    fileprivate init?(_ json: JSONValue) {
        switch json {
        case .bool(let flag): self = .flag(flag)
        case .number(let text):
            guard let number = Double(text), number.isFinite else { return nil }
            self = .number(number)
        case .string(let text): self = .text(text)
        case .array(let items):
            let texts = items.compactMap(\.string)
            guard texts.count == items.count else { return nil }
            self = .list(texts)
        case .null, .object: return nil
        }
    }
}

/// The columns of a segment, which are read on first use and then kept.
final class LazyColumns: Sendable {
    private let columns = Mutex<MetadataColumns?>(nil)

    /// Returns the columns of a segment.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    func callAsFunction(of segment: IndexSegment) throws -> MetadataColumns {
        try columns.withLock { columns in
            if let columns { return columns }
            let made = try MetadataColumns(segment)
            columns = made
            return made
        }
    }
}
