import Foundation
import Torch
import WeightFiles

/// Makes the columns of a segment from the values of its rows.
struct ColumnBuilder {
    /// The values of one name so far.
    private struct Draft {
        /// The number of each row, NaN for none; nil once a value was no number.
        var numbers: [Double]?
        /// The distinct values, and the number of each, counted from 1.
        var values: [FieldValue] = []
        var known: [FieldValue: UInt32] = [:]
        /// The number of each row's value; empty as long as all values are numbers.
        var codes: [UInt32] = []
    }

    /// The code of a row whose value was not stored, for lack of room.
    private static let unkept = UInt32.max
    /// The approximate number of bytes that may be stored per row.
    private static let bytesPerRow = 1024

    private let rowCount: Int
    private var drafts: [String: Draft] = [:]
    private var isComplete = true
    private var room: Int

    /// Creates columns without values.
    init(rowCount: Int) {
        self.rowCount = rowCount
        room = max(1 << 16, rowCount * Self.bytesPerRow)
    }

    /// Adds the values of a row, whose names must differ.
    mutating func add(_ values: [(name: String, value: FieldValue)], row: Int) {
        for (name, value) in values {
            if drafts[name] == nil {
                guard take(rowCount * 8 + 128 + name.utf8.count) else {
                    isComplete = false
                    continue
                }
                drafts[name] = Draft(numbers: Array(repeating: .nan, count: rowCount))
            }
            if case .plain(.number(let number)) = value, drafts[name]?.numbers != nil {
                drafts[name]?.numbers?[row] = number
            } else {
                keep(value, name, row)
            }
        }
    }

    private mutating func keep(_ value: FieldValue, _ name: String, _ row: Int) {
        if let numbers = drafts[name]?.numbers {
            drafts[name]?.numbers = nil
            drafts[name]?.codes = Array(repeating: 0, count: rowCount)
            for (row, number) in numbers.enumerated() where !number.isNaN {
                code(.plain(.number(number)), name, row)
            }
        }
        code(value, name, row)
    }

    private mutating func code(_ value: FieldValue, _ name: String, _ row: Int) {
        if let code = drafts[name]?.known[value] {
            drafts[name]?.codes[row] = code
        } else if take(value.byteCount), let count = drafts[name]?.values.count {
            drafts[name]?.values.append(value)
            drafts[name]?.known[value] = UInt32(count + 1)
            drafts[name]?.codes[row] = UInt32(count + 1)
        } else {
            drafts[name]?.codes[row] = Self.unkept
        }
    }

    private mutating func take(_ bytes: Int) -> Bool {
        guard bytes <= room else { return false }
        room -= bytes
        return true
    }

    /// Returns the table of the columns as JSON, and their bytes in numbers of 8.
    ///
    /// - Complexity: O(n + v log v) per column, for n rows and v distinct values.
    func finish() throws -> (table: StoredTensor, bytes: StoredTensor) {
        var bytes: [UInt8] = []
        let descriptions = drafts.sorted { $0.key < $1.key }.map { name, draft in
            draft.numbers.map { Self.write($0, name, to: &bytes) }
                ?? Self.write(draft, name, to: &bytes)
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let table = try encoder.encode(
            MetadataColumns.Table(rows: rowCount, complete: isComplete, columns: descriptions))
        return (
            StoredTensor(dtype: .uint8, shape: [table.count], bytes: table),
            StoredTensor(dtype: .int64, shape: [bytes.count / 8], bytes: bytes)
        )
    }

    private static func write(
        _ numbers: [Double], _ name: String, to bytes: inout [UInt8]
    ) -> MetadataColumn.Description {
        let offset = bytes.count
        // The smallest stands for no value.
        let whole = numbers.map { $0.isNaN ? Int32.min : Int32(exactly: $0) }
        let areWhole = zip(whole, numbers).allSatisfy { $1.isNaN || ($0 ?? .min) != .min }
        for (number, whole) in zip(numbers, whole) {
            if areWhole, let whole {
                bytes.append(littleEndian: whole)
            } else {
                bytes.append(littleEndian: number.bitPattern)
            }
        }
        bytes.pad()
        return .init(name: name, form: areWhole ? .int32 : .float64, offset: offset)
    }

    private static func write(
        _ draft: Draft, _ name: String, to bytes: inout [UInt8]
    ) -> MetadataColumn.Description {
        let count = draft.values.count
        let isSorted = draft.values.areComparable
        let texts = isSorted ? draft.values.map { Array(($0.text ?? "").utf8) } : []
        let order =
            isSorted
            ? texts.indices.sorted { texts[$0].lexicographicallyPrecedes(texts[$1]) }
            : Array(draft.values.indices)
        var places = [UInt32](repeating: 0, count: count)
        for (place, index) in order.enumerated() { places[index] = UInt32(place + 1) }
        var description = MetadataColumn.Description(
            name: name, form: .values, offset: bytes.count,
            width: count < 0xFF ? 1 : count < 0xFFFF ? 2 : 4, count: count, sorted: isSorted)
        for code in draft.codes {
            let place =
                code == 0 ? 0 : code == Self.unkept ? UInt32(count + 1) : places[Int(code) - 1]
            switch description.width {
            case 1: bytes.append(UInt8(truncatingIfNeeded: place))
            case 2: bytes.append(littleEndian: UInt16(truncatingIfNeeded: place))
            default: bytes.append(littleEndian: place)
            }
        }
        bytes.pad()
        description.ends = bytes.count
        var values: [UInt8] = []
        for index in order {
            draft.values[index].write(to: &values)
            bytes.append(littleEndian: Int64(values.count))
        }
        bytes += values
        bytes.pad()
        return description
    }
}

extension [FieldValue] {
    /// Whether they are all dates or all texts, in printable ASCII.
    ///
    /// The order of their bytes is then the order by which conditions compare, also of the
    /// beginnings of dates.
    fileprivate var areComparable: Bool {
        func isPrintable(_ text: String) -> Bool {
            text.utf8.allSatisfy { 0x20 <= $0 && $0 <= 0x7E }
        }
        let areDates = allSatisfy {
            if case .date(let text) = $0 { isPrintable(text) } else { false }
        }
        return areDates
            || allSatisfy {
                if case .plain(.text(let text)) = $0 { isPrintable(text) } else { false }
            }
    }
}
