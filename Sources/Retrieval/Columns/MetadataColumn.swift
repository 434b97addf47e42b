import SystemPackage
import Torch
import WeightFiles

/// The values of all rows of a segment with one name, in mapped memory.
///
/// A column of numbers has one number per row. Any other column has the distinct values, and for
/// each row the number of its value, counted from 1; 0 stands for no value. A row whose number
/// exceeds that of the values has a value that was not stored, for lack of room; it is read from
/// its entry.
struct MetadataColumn: Sendable {
    /// The form of the rows.
    enum Form: String, Codable, Sendable {
        /// Whole numbers; the smallest stands for no value.
        case int32
        /// Numbers; NaN stands for no value.
        case float64
        /// Numbers of values.
        case values
    }

    /// The place and form of a column, as the table of columns describes it.
    struct Description: Codable, Sendable, Equatable {
        var name: String
        var form: Form
        /// The offset of the rows in bytes, a multiple of 8.
        var offset: Int
        /// With values: the number of bytes per row, 1, 2 or 4.
        var width: Int?
        /// With values: how many there are.
        var count: Int?
        /// With values: the offset of the numbers that say where each value ends, counted from the
        /// first value, which follows them; a multiple of 8.
        var ends: Int?
        /// With values: whether they are all dates or all texts, in printable ASCII, and ascend.
        var sorted: Bool?
    }

    /// What a column says about a row.
    enum Cell {
        case none
        case value(FieldValue)
        /// The entry has to be read.
        case unkept
    }

    let description: Description
    let bytes: StoredTensor
    /// The number of rows.
    let rowCount: Int
    /// The number of distinct values; 0 in a column of numbers.
    let valueCount: Int
    private let path: FilePath

    /// Opens a column.
    ///
    /// - Parameters:
    ///   - description: The description of the column.
    ///   - bytes: The bytes of all columns, in numbers of 8 bytes.
    ///   - rowCount: The number of rows of the segment.
    ///   - path: The segment's file, for errors.
    /// - Throws: ``IndexError`` if a part of the column lies outside the bytes.
    init(
        _ description: Description, in bytes: StoredTensor, rowCount: Int, path: FilePath
    ) throws {
        self.description = description
        self.bytes = bytes
        self.rowCount = rowCount
        self.path = path
        valueCount = description.form == .values ? description.count ?? -1 : 0
        func fits(_ offset: Int?, _ count: Int, _ size: Int) -> Bool {
            guard let offset, offset >= 0, offset % 8 == 0, offset <= bytes.byteCount else {
                return false
            }
            return count >= 0 && count <= (bytes.byteCount - offset) / size
        }
        let isRight =
            switch description.form {
            case .int32: fits(description.offset, rowCount, 4)
            case .float64: fits(description.offset, rowCount, 8)
            case .values:
                [1, 2, 4].contains(description.width ?? 0)
                    && fits(description.offset, rowCount, description.width ?? 1)
                    && fits(description.ends, valueCount, 8)
            }
        guard isRight else { throw damage("its parts lie outside the columns") }
    }

    /// Returns what the column says about a row.
    ///
    /// - Throws: ``IndexError`` if the value is damaged.
    func cell(_ row: Int) throws -> Cell {
        switch description.form {
        case .int32:
            let number = rows(Int32.self) { $0[row] }
            return number == .min ? .none : .value(.plain(.number(Double(number))))
        case .float64:
            let number = rows(Double.self) { $0[row] }
            return number.isNaN ? .none : .value(.plain(.number(number)))
        case .values:
            let code = code(row)
            if code == 0 { return .none }
            return code > valueCount ? .unkept : .value(try value(code - 1))
        }
    }

    /// Returns the rows that fulfil a condition on the column's name.
    ///
    /// - Parameters:
    ///   - filter: The condition.
    ///   - entryFulfils: Returns whether the entry of a row does, for values that are not stored.
    /// - Throws: ``IndexError`` if a value is damaged; the errors of `entryFulfils`.
    /// - Complexity: O(n + v) for n rows and v distinct values, or O(n + log v) if they are sorted.
    func rows(
        fulfilling filter: MetadataFilter, entryFulfils: (Int) throws -> Bool
    ) throws -> RowSet {
        let (comparison, holdsWithout) = (filter.comparison, filter.holds(nil))
        switch description.form {
        case .int32:
            guard let number = filter.number else { break }
            return rows(Int32.self) { rows in
                RowSet(rowCount) { row in
                    rows[row] == .min
                        ? holdsWithout : comparison.holds(Double(rows[row]), number)
                }
            }
        case .float64:
            guard let number = filter.number else { break }
            return rows(Double.self) { rows in
                RowSet(rowCount) { row in
                    rows[row].isNaN ? holdsWithout : comparison.holds(rows[row], number)
                }
            }
        case .values:
            let test = try ValueTest(filter, count: valueCount, isSorted: isSorted, value)
            switch description.width {
            case 1: return try rows(UInt8.self, test, entryFulfils)
            case 2: return try rows(UInt16.self, test, entryFulfils)
            default: return try rows(UInt32.self, test, entryFulfils)
            }
        }
        // Whatever is not a number differs from all numbers, as a missing value does.
        return RowSet(rowCount, repeating: holdsWithout)
    }

    private func rows<Code: FixedWidthInteger & UnsignedInteger>(
        _ type: Code.Type, _ test: ValueTest, _ entryFulfils: (Int) throws -> Bool
    ) throws -> RowSet {
        var largest: Code = 0
        var found = rows(type) { codes in
            switch test {
            case .range(let range, let isInverted):
                RowSet(rowCount) { row in
                    let code = codes[row]
                    largest = max(largest, code)
                    return (Int(code) >= range.lowerBound && Int(code) < range.upperBound)
                        != isInverted
                }
            case .each(let verdicts):
                verdicts.withUnsafeBufferPointer { verdicts in
                    RowSet(rowCount) { row in
                        let code = codes[row]
                        largest = max(largest, code)
                        return Int(code) < verdicts.count && verdicts[Int(code)]
                    }
                }
            }
        }
        if Int(largest) > valueCount {
            for row in 0..<rowCount where code(row) > valueCount {
                found[row] = try entryFulfils(row)
            }
        }
        return found
    }

    /// Whether the values ascend, so that one condition holds for a range of them.
    var isSorted: Bool { description.sorted ?? false }

    /// Returns the number of a row's value, in a column of values.
    func code(_ row: Int) -> Int {
        switch description.width {
        case 1: rows(UInt8.self) { Int($0[row]) }
        case 2: rows(UInt16.self) { Int($0[row]) }
        default: rows(UInt32.self) { Int($0[row]) }
        }
    }

    private func rows<Element, Result>(
        _ type: Element.Type, _ body: (UnsafePointer<Element>) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(bytes.storage) {
            try body(
                (bytes.unsafeBaseAddress + description.offset).assumingMemoryBound(to: type))
        }
    }

    func damage(_ reason: String) -> IndexError {
        .corrupt(path, "column '\(description.name.prefix(80))': \(reason)")
    }
}
