import ALBEFTraining
import Foundation

/// Cells in columns: the first to the left, the others to the right.
enum Columns {
    static func aligned(_ rows: [[String]]) -> [String] {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        return rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            let line = "  " + cells.joined(separator: "   ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }
    }

    /// A share with its standard error, of one width below 100.
    static func share(_ share: MeasuredShare, sign: String = "") -> String {
        String(format: "%\(sign).1f ± %4.1f", share.percent, share.standardError)
    }
}
