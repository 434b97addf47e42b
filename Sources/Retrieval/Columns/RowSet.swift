/// A set of the rows of a segment, one bit per row.
struct RowSet: Sendable, Hashable {
    /// The number of rows of the segment.
    let rowCount: Int
    private var words: [UInt64]

    /// Creates the set of the rows for which a condition holds.
    ///
    /// - Complexity: O(n) for n rows.
    @inline(__always)
    init(_ rowCount: Int, where holds: (Int) throws -> Bool) rethrows {
        self.rowCount = rowCount
        words = []
        words.reserveCapacity((rowCount + 63) / 64)
        var start = 0
        while start < rowCount {
            var word: UInt64 = 0
            for row in start..<min(start + 64, rowCount) {
                word |= (try holds(row) ? 1 : 0) << UInt64(row - start)
            }
            words.append(word)
            start += 64
        }
    }

    /// Creates the set of all rows, or of none.
    init(_ rowCount: Int, repeating isMember: Bool) {
        self.rowCount = rowCount
        words = Array(repeating: isMember ? ~0 : 0, count: (rowCount + 63) / 64)
        if isMember, rowCount % 64 > 0 { words[words.count - 1] = (1 << UInt64(rowCount % 64)) - 1 }
    }

    /// The number of rows in the set.
    ///
    /// - Complexity: O(n / 64) for n rows.
    var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

    /// Whether a row is in the set.
    subscript(row: Int) -> Bool {
        get { words[row >> 6] >> UInt64(row & 63) & 1 == 1 }
        set {
            let bit: UInt64 = 1 << UInt64(row & 63)
            if newValue { words[row >> 6] |= bit } else { words[row >> 6] &= ~bit }
        }
    }

    /// Removes the rows that are not in another set of the same segment.
    mutating func formIntersection(_ other: RowSet) {
        for index in words.indices { words[index] &= other.words[index] }
    }

    /// Returns some of the rows in the set, ascending.
    ///
    /// - Parameters:
    ///   - skipped: The number of rows to skip.
    ///   - count: The maximum number of rows to return.
    /// - Complexity: O(n / 64 + count) for n rows.
    func rows(skipping skipped: Int = 0, count: Int = .max) -> [Int] {
        var (skipped, found) = (skipped, [Int]())
        for (index, word) in words.enumerated() where found.count < count {
            let present = word.nonzeroBitCount
            guard skipped < present else {
                skipped -= present
                continue
            }
            var rest = word
            while rest != 0, found.count < count {
                if skipped > 0 {
                    skipped -= 1
                } else {
                    found.append(index << 6 + rest.trailingZeroBitCount)
                }
                rest &= rest - 1
            }
        }
        return found
    }
}
