import WeightFiles

/// The distinct values of a column that is not of numbers.
extension MetadataColumn {
    /// Returns a distinct value, counted from 0.
    ///
    /// - Throws: ``IndexError`` if it is damaged.
    func value(_ index: Int) throws -> FieldValue {
        guard let ends = description.ends, (0..<valueCount).contains(index) else {
            throw damage("value \(index) does not exist")
        }
        return try bytes.withUnsafeBytes { bytes in
            func end(_ index: Int) -> Int {
                index < 0 ? 0 : Int(bytes.load(fromByteOffset: ends + 8 * index, as: Int64.self))
            }
            let values = bytes.dropFirst(ends + 8 * valueCount)
            let (start, end) = (end(index - 1), end(index))
            guard 0 <= start, start <= end, end <= values.count,
                let value = FieldValue(
                    UnsafeRawBufferPointer(rebasing: values.dropFirst(start).prefix(end - start)))
            else { throw damage("value \(index) is not one") }
            return value
        }
    }

    /// Whether the values of all rows are stored.
    ///
    /// - Complexity: O(n) for n rows.
    var isWhole: Bool {
        description.form != .values || (0..<rowCount).allSatisfy { code($0) <= valueCount }
    }

    /// Returns the end of the sorted values, from one on, whose texts begin alike.
    ///
    /// - Parameters:
    ///   - first: The first of these values.
    ///   - length: The length of the beginning that they share.
    /// - Throws: ``IndexError`` if a value is damaged.
    /// - Complexity: O(log v) for v values.
    func end(from first: Int, length: Int) throws -> Int {
        let beginning = try value(first).text?.prefix(length)
        var (low, high) = (first + 1, valueCount)
        while low < high {
            let middle = (low + high) / 2
            if try value(middle).text?.prefix(length) == beginning {
                low = middle + 1
            } else {
                high = middle
            }
        }
        return low
    }

    /// Returns the number of times that each number of a value occurs among rows.
    ///
    /// - Returns: The counts by the numbers of the values, 0 for no value, and the rows whose
    ///   values are not stored; nil for a column of numbers.
    func valueCounts(in set: RowSet) -> (counts: [Int], unkept: [Int])? {
        guard description.form == .values else { return nil }
        var (counts, unkept) = (Array(repeating: 0, count: valueCount + 1), [Int]())
        for row in set.rows() {
            let code = code(row)
            if code > valueCount { unkept.append(row) } else { counts[code] += 1 }
        }
        return (counts, unkept)
    }
}
