extension StringProtocol {
    /// The text with control characters escaped, for a person at a terminal.
    ///
    /// Names of files and texts come from anywhere. Raw, they could move the cursor, start a row of
    /// their own, or turn the direction of what follows.
    var displayed: String {
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
