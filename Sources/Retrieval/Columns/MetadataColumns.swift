import Foundation
import Storage
import SystemPackage
import Torch
import WeightFiles

/// The metadata and fields of a segment's rows by name, so that conditions need not decode entries.
///
/// A segment has them in two tensors, and they are mapped like its vectors. For segments of earlier
/// versions, and for those whose images were moved, they are made from the entries on first use.
/// Their size is bounded for any metadata: what exceeds it is read from the entries.
struct MetadataColumns: Sendable {
    /// The table that says where each column is.
    struct Table: Codable, Sendable, Equatable {
        /// The number of rows of the segment.
        var rows: Int
        /// Whether every name has a column.
        var complete: Bool
        /// The columns.
        var columns: [MetadataColumn.Description]
    }

    private let columns: [String: MetadataColumn]
    private let isComplete: Bool

    /// Opens the columns of a segment.
    ///
    /// - Parameters:
    ///   - table: The JSON of a ``Table``.
    ///   - bytes: The columns, in numbers of 8 bytes.
    ///   - rowCount: The number of rows of the segment.
    ///   - path: The segment's file, for errors.
    /// - Throws: ``IndexError`` if they contradict each other.
    /// - Complexity: O(c) for c columns, whatever their size.
    init(table: StoredTensor, bytes: StoredTensor, rowCount: Int, path: FilePath) throws {
        let decoded: Table
        do {
            decoded = try JSONDecoder().decode(Table.self, from: table.withUnsafeBytes { Data($0) })
        } catch let error as DecodingError {
            throw IndexError.corrupt(path, "the table of columns: \(error.reason)")
        }
        guard decoded.rows == rowCount else {
            throw IndexError.corrupt(
                path, "the columns have \(decoded.rows) rows, but the manifest says \(rowCount)")
        }
        isComplete = decoded.complete
        columns = Dictionary(
            try decoded.columns.map { description in
                (
                    description.name,
                    try MetadataColumn(description, in: bytes, rowCount: rowCount, path: path)
                )
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Makes the columns from the entries of a segment.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n rows.
    init(deriving segment: IndexSegment) throws {
        var builder = ColumnBuilder(rowCount: segment.count)
        for row in 0..<segment.count { builder.add(try segment.summary(row).values, row: row) }
        let made = try builder.finish()
        try self.init(
            table: made.table, bytes: made.bytes, rowCount: segment.count, path: segment.path)
    }

    /// Returns the value of a row with a name, or nil if it has none.
    ///
    /// - Throws: ``IndexError`` if the value or the entry is damaged.
    func value(of name: String, _ row: Int, in segment: IndexSegment) throws -> FieldValue? {
        guard let column = columns[name] else {
            return isComplete ? nil : try segment.entry(row).value(name)
        }
        return switch try column.cell(row) {
        case .none: nil
        case .value(let value): value
        case .unkept: try segment.entry(row).value(name)
        }
    }

    /// Returns the rows of a segment that fulfil a condition.
    ///
    /// - Throws: ``IndexError`` if a value or an entry is damaged.
    /// - Complexity: O(n) for n rows.
    func rows(fulfilling filter: MetadataFilter, in segment: IndexSegment) throws -> RowSet {
        func entryFulfils(_ row: Int) throws -> Bool { filter(try segment.entry(row)) }
        if let column = columns[filter.name] {
            return try column.rows(fulfilling: filter, entryFulfils: entryFulfils)
        }
        return isComplete
            ? RowSet(segment.count, repeating: filter.holds(nil))
            : try RowSet(segment.count, where: entryFulfils)
    }

    /// Returns the rows in the order of the texts that they have with a name.
    ///
    /// - Throws: ``IndexError`` if a value or an entry is damaged.
    func order(by name: String, of segment: IndexSegment) throws -> DateOrder {
        let column = columns[name].flatMap { $0.isSorted && $0.isWhole ? $0 : nil }
        return try DateOrder(column, rowCount: segment.count) {
            try value(of: name, $0, in: segment)?.text
        }
    }

    /// Returns how many rows have each text, or each beginning of a text, with a name; other values
    /// are not counted.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - length: The length of the beginnings.
    ///   - rows: The rows to count.
    ///   - segment: The segment of the columns.
    /// - Throws: ``IndexError`` if a value or an entry is damaged.
    /// - Complexity: O(n + v) for n rows and v distinct values. Sorted values are not all read:
    ///   O(b log v) of them for b beginnings.
    func textCounts(
        of name: String, length: Int = .max, in rows: RowSet, of segment: IndexSegment
    ) throws -> [String: Int] {
        var result: [String: Int] = [:]
        func count(_ row: Int) throws {
            guard let text = try segment.entry(row).value(name)?.text else { return }
            result[String(text.prefix(length)), default: 0] += 1
        }
        guard let column = columns[name] else {
            if !isComplete { for row in rows.rows() { try count(row) } }
            return result
        }
        guard let found = column.valueCounts(in: rows) else { return result }
        var index = 0
        while index < column.valueCount {
            let beginning = try column.value(index).text.map { String($0.prefix(length)) }
            let end = try column.isSorted ? column.end(from: index, length: length) : index + 1
            let number = found.counts[index + 1...end].reduce(0, +)
            if let beginning, number > 0 { result[beginning, default: 0] += number }
            index = end
        }
        for row in found.unkept { try count(row) }
        return result
    }

    /// Returns a name whose value in a row differs from the one in the entry, or nil if there is
    /// none.
    ///
    /// - Throws: ``IndexError`` if a value is damaged.
    func contradiction(
        to entry: IndexEntry, _ row: Int, in segment: IndexSegment
    ) throws -> String? {
        let names = Set(columns.keys).union(EntrySummary(entry).values.map(\.name))
        return try names.first { try value(of: $0, row, in: segment) != entry.value($0) }
    }
}
