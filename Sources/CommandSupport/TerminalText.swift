extension StringProtocol {
    /// The text with control characters escaped, for a person at a terminal.
    ///
    /// File names and texts come from untrusted sources. Unescaped, they could move the cursor,
    /// start a new row, or reverse the direction of the text after them.
    package var displayed: String {
        guard unicodeScalars.contains(where: \.isUnfitForTerminals) else { return String(self) }
        return unicodeScalars.map { scalar in
            guard scalar.isUnfitForTerminals else { return String(scalar) }
            switch scalar {
            case "\n": return "\\n"
            case "\r": return "\\r"
            case "\t": return "\\t"
            default: return "\\u{\(String(scalar.value, radix: 16))}"
            }
        }.joined()
    }
}

extension Unicode.Scalar {
    fileprivate var isUnfitForTerminals: Bool {
        switch properties.generalCategory {
        case .control, .lineSeparator, .paragraphSeparator: true
        default: properties.isBidiControl
        }
    }
}
