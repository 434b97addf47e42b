import Torch
import WeightFiles

/// The rows of a segment in the order of their keys, by which an entry is found without reading
/// others.
struct KeyTable: Sendable {
    /// The first 64 bits of each key, `[N]`, ascending as unsigned numbers.
    let prefixes: StoredTensor
    /// The row of each key, `[N]`.
    let rows: StoredTensor

    /// Creates a table from the tensors of a segment.
    init(prefixes: StoredTensor, rows: StoredTensor) {
        self.prefixes = prefixes
        self.rows = rows
    }

    /// Makes a table from the keys of rows 0, 1, ….
    ///
    /// - Complexity: O(n log n) for n keys.
    init(_ keys: [UInt64]) {
        let order = keys.indices.sorted { (keys[$0], $0) < (keys[$1], $1) }
        var (prefixes, rows): ([UInt8], [UInt8]) = ([], [])
        for row in order {
            prefixes.append(littleEndian: keys[row])
            rows.append(littleEndian: UInt32(row))
        }
        self.prefixes = StoredTensor(dtype: .int64, shape: [keys.count], bytes: prefixes)
        self.rows = StoredTensor(dtype: .int32, shape: [keys.count], bytes: rows)
    }

    /// Makes a table from the entries of a segment.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n log n) for n entries, which are all read.
    init(deriving segment: IndexSegment) throws {
        self.init(try (0..<segment.count).map { EntryKey(try segment.summary($0).path).prefix })
    }

    /// The number of keys.
    var count: Int { prefixes.elementCount }

    /// The prefix and the row at a place in the order; the row may be any number in a damaged file.
    subscript(place: Int) -> (prefix: UInt64, row: Int) {
        withExtendedLifetime((prefixes.storage, rows.storage)) {
            (
                prefixes.unsafeBaseAddress.load(fromByteOffset: 8 * place, as: UInt64.self),
                Int(rows.unsafeBaseAddress.load(fromByteOffset: 4 * place, as: UInt32.self))
            )
        }
    }

    /// Returns the rows whose keys begin with a prefix.
    ///
    /// - Complexity: O(log n) for n keys.
    func rows(_ prefix: UInt64) -> [Int] {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].prefix < prefix { low = middle + 1 } else { high = middle }
        }
        var found: [Int] = []
        while low < count, self[low].prefix == prefix {
            // A damaged file must not lead outside the segment.
            if self[low].row < count { found.append(self[low].row) }
            low += 1
        }
        return found
    }

    /// Returns whether another table has the same keys and rows.
    func isIdentical(to other: KeyTable) -> Bool {
        prefixes.isIdentical(to: other.prefixes) && rows.isIdentical(to: other.rows)
    }
}
