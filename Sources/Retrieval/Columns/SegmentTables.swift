import Storage
import WeightFiles

/// Makes the tensors of a segment by which entries are found without decoding them: its keys and
/// its columns.
struct SegmentTables {
    private var keys: [UInt64] = []
    private var columns: ColumnBuilder

    /// Creates tables of rows that are added one after another.
    init(rowCount: Int) { columns = ColumnBuilder(rowCount: rowCount) }

    /// Adds the entry of the next row.
    mutating func add(_ entry: EntrySummary) {
        columns.add(entry.values, row: keys.count)
        keys.append(EntryKey(entry.path).prefix)
    }

    /// Returns the tensors.
    ///
    /// - Complexity: O(n log n) for n rows.
    func tensors() throws -> [SafetensorsWriter.Entry] {
        let (keys, columns) = (KeyTable(keys), try columns.finish())
        return [
            .init(name: IndexSegment.TableName.keys, tensor: keys.prefixes),
            .init(name: IndexSegment.TableName.keyRows, tensor: keys.rows),
            .init(name: IndexSegment.TableName.columns, tensor: columns.bytes),
            .init(name: IndexSegment.TableName.columnTable, tensor: columns.table),
        ]
    }
}

extension IndexSegment {
    /// Whether the file has keys and columns.
    var hasTables: Bool { storedKeys != nil && storedTables != nil }

    /// The keys of the rows; nil if the file has none, or those of other paths because the images
    /// were moved.
    var keys: KeyTable? { isRelocated ? nil : storedKeys }

    /// Returns the columns in the file; nil if it has none, or those of other folders because the
    /// images were moved.
    ///
    /// - Throws: ``IndexError`` if they are damaged.
    func storedColumns() throws -> MetadataColumns? {
        guard let storedTables, !isRelocated else { return nil }
        return try MetadataColumns(
            table: storedTables.table, bytes: storedTables.columns, rowCount: count, path: path)
    }

    /// The names of the tensors.
    enum TableName {
        static let keys = "keys"
        static let keyRows = "key_rows"
        static let columns = "columns"
        static let columnTable = "column_table"
    }

    /// Returns some of the rows that were not removed, ascending.
    ///
    /// - Complexity: O(log r + count) for r removed rows, plus those that the result passes over.
    func livingRows(skipping skipped: Int, count: Int) -> [Int] {
        // Before removed row number i there are removedRows[i] - i others that were not removed.
        var (low, high) = (0, removedRows.count)
        while low < high {
            let middle = (low + high) / 2
            if removedRows[middle] - middle <= skipped { low = middle + 1 } else { high = middle }
        }
        var (row, next, found) = (skipped + low, low, [Int]())
        while found.count < count, row < self.count {
            if next < removedRows.count, removedRows[next] == row {
                next += 1
            } else {
                found.append(row)
            }
            row += 1
        }
        return found
    }
}
