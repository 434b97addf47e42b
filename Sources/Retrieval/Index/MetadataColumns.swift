import Foundation
import Synchronization

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
    /// Entries that are decoded together.
    private static let chunk = 512

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
        for start in stride(from: 0, to: rows, by: Self.chunk) {
            let range = start..<min(start + Self.chunk, rows)
            for (row, metadata) in zip(range, try Self.metadata(of: range, segment)) {
                for (name, value) in metadata { keep(value, name, row, &known) }
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

    private struct Fields: Decodable { var metadata: [String: MetadataValue]? }

    private static func metadata(
        of rows: Range<Int>, _ segment: IndexSegment
    ) throws -> [[String: MetadataValue]] {
        var json = Data("[".utf8)
        for row in rows {
            if row > rows.lowerBound { json.append(UInt8(ascii: ",")) }
            try segment.withEntryBytes(row) { json.append(contentsOf: $0) }
        }
        json.append(UInt8(ascii: "]"))
        if let all = try? JSONDecoder().decode([Fields].self, from: json), all.count == rows.count {
            return all.map { $0.metadata ?? [:] }
        }
        // One of them is damaged; its error says which.
        return try rows.map { try segment.entry($0).metadata }
    }
}

extension MetadataValue {
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
