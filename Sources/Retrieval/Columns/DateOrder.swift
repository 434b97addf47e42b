/// The rows of a segment in the order of a name's texts, such as its dates, by which pages of a
/// sorted list are made without sorting all entries.
struct DateOrder: Sendable {
    /// Where the texts are.
    private enum Texts: Sendable {
        case sorted(MetadataColumn)
        case read([String])
    }

    private let texts: Texts
    /// The rows without a text, and then those of each text, ascending.
    private let rows: [UInt32]
    /// Where the rows of each text end, after those without a text.
    private let ends: [Int]

    /// Sorts the rows of a segment.
    ///
    /// - Parameters:
    ///   - column: The column of the name, if its values ascend and no value is missing in it.
    ///   - rowCount: The number of rows.
    ///   - text: Returns the text of a row; not called with a column.
    /// - Throws: The errors of `text`.
    /// - Complexity: O(n + v) for n rows and v values of a column; O(n + v log v) without one.
    init(
        _ column: MetadataColumn?, rowCount: Int, text: (Int) throws -> String?
    ) rethrows {
        let codes: [UInt32]
        if let column {
            texts = .sorted(column)
            codes = (0..<rowCount).map { UInt32(column.code($0)) }
        } else {
            let found = try (0..<rowCount).map(text)
            let distinct = Set(found.compactMap(\.self)).sorted()
            let places = Dictionary(
                distinct.enumerated().map { ($1, UInt32($0 + 1)) },
                uniquingKeysWith: { first, _ in first })
            texts = .read(distinct)
            codes = found.map { text in text.flatMap { places[$0] } ?? 0 }
        }
        // A counting sort keeps the order of the rows of one text.
        var ends = [Int](repeating: 0, count: Int(codes.max() ?? 0) + 1)
        for code in codes { ends[Int(code)] += 1 }
        for code in ends.indices.dropFirst() { ends[code] += ends[code - 1] }
        var next = [0] + ends.dropLast()
        var rows = [UInt32](repeating: 0, count: rowCount)
        for (row, code) in codes.enumerated() {
            rows[next[Int(code)]] = UInt32(row)
            next[Int(code)] += 1
        }
        (self.rows, self.ends) = (rows, ends)
    }

    /// The number of distinct texts.
    var count: Int { ends.count - 1 }

    /// The rows without a text, ascending.
    var withoutText: ArraySlice<UInt32> { rows[..<ends[0]] }

    /// The rows of a text, ascending; texts are counted from 0.
    func rows(_ index: Int) -> ArraySlice<UInt32> { rows[ends[index]..<ends[index + 1]] }

    /// Returns a text, in ascending order.
    ///
    /// - Throws: ``IndexError`` if the column is damaged.
    func text(_ index: Int) throws -> String {
        switch texts {
        case .sorted(let column): try column.value(index).text ?? ""
        case .read(let texts): texts[index]
        }
    }
}
