/// Helpers for writing HTML and SVG.
package enum Markup {
    /// Escapes text for an element or a quoted attribute.
    package static func escape(_ text: String) -> String {
        var escaped = ""
        escaped.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            // HTML allows no control character but white space.
            case "\t", "\n": escaped.unicodeScalars.append(scalar)
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}": escaped += "\u{FFFD}"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Formats a coordinate of a chart with at most one decimal, clamped to ±1,000,000.
    package static func tenths(_ value: Double) -> String {
        guard !value.isNaN else { return "0" }
        let tenths = Int((min(max(value, -1e6), 1e6) * 10).rounded())
        let sign = tenths < 0 ? "-" : ""
        let (whole, part) = tenths.magnitude.quotientAndRemainder(dividingBy: 10)
        return part == 0 ? "\(sign)\(whole)" : "\(sign)\(whole).\(part)"
    }

    /// Formats a fraction from 0 to 1 as a percentage with at most one decimal.
    package static func percent(_ position: Double) -> String { tenths(position * 100) + "%" }
}
