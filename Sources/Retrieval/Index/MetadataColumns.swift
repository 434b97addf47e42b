import Synchronization
import Torch

/// The metadata of a segment's rows by name: what a condition is compared with, without decoding
/// every entry for every search.
///
/// A value that many rows have is kept once. What has no room is read from its entry, so that the
/// memory is bounded whatever the metadata is.
struct MetadataColumns: Sendable {
    /// The values of all rows under one name.
    struct Column: Sendable {
        /// Each value once.
        var values: [MetadataValue] = []
        /// For each row ``none``, ``unkept``, or which of the values it has, counted from 1.
        var codes: [UInt32]

        /// The row has nothing under the name.
        static let none: UInt32 = 0
        /// The row's value had no room.
        static let unkept = UInt32.max
    }

    /// Bytes per row that may be kept, about.
    private static let bytesPerRow = 512

    private(set) var columns: [String: Column] = [:]
    /// Whether every name has a column.
    private(set) var isComplete = true
    private var room: Int
    private let rows: Int

    /// Reads the metadata of all rows.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    init(_ segment: IndexSegment) throws {
        rows = segment.count
        room = max(1 << 16, rows * Self.bytesPerRow)
        var known: [String: [MetadataValue: UInt32]] = [:]
        for row in 0..<rows {
            for (name, value) in try Self.metadata(of: row, segment) {
                keep(value, name, row, &known)
            }
        }
    }

    private mutating func keep(
        _ value: MetadataValue, _ name: String, _ row: Int,
        _ known: inout [String: [MetadataValue: UInt32]]
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

    /// The metadata of a row.
    ///
    /// - Throws: ``IndexError`` if the entry is damaged.
    private static func metadata(
        of row: Int, _ segment: IndexSegment
    ) throws -> [(name: String, value: MetadataValue)] {
        // A third of the time that decoding the entry takes.
        let quick = try segment.withEntryBytes(row) { bytes in
            try? JSONValue(bytes, file: segment.path, what: "an entry").metadata
        }
        if let quick { return quick }
        return try segment.entry(row).metadata.map { ($0.key, $0.value) }
    }
}

extension JSONValue {
    /// The metadata of an entry; nil if this is not an entry as it has to be.
    fileprivate var metadata: [(name: String, value: MetadataValue)]? {
        guard let members = object else { return nil }
        guard let metadata = members.first(where: { $0.name == "metadata" })?.value else {
            return []
        }
        let pairs = metadata.object?.compactMap { member in
            MetadataValue(member.value).map { (member.name, $0) }
        }
        return pairs?.count == metadata.object?.count ? pairs : nil
    }
}

extension MetadataValue {
    /// What a value of an entry's JSON is; nil if it cannot be in metadata.
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

    /// About the bytes of keeping it once.
    fileprivate var byteCount: Int {
        switch self {
        case .number, .flag: 80
        case .text(let text): 80 + 2 * text.utf8.count
        case .list(let list): list.reduce(80) { $0 + 32 + 2 * $1.utf8.count }
        }
    }
}

/// The columns of a segment, read when they are first asked for and kept from then on.
final class LazyColumns: Sendable {
    private let columns = Mutex<MetadataColumns?>(nil)

    /// The columns.
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
