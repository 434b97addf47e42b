import ALBEFTraining
import Foundation

/// Text in columns: the first aligned left, the others right.
enum Columns {
    /// Returns one line per row, without spaces at its end.
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

    /// Formats a share and its standard error, in percent.
    static func share(_ share: MeasuredShare, sign: String = "") -> String {
        String(format: "%\(sign).1f ± %4.1f", share.percent, share.standardError)
    }
}
