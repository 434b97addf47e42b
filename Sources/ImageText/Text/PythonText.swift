/// The text operations of the reference implementations that work differently in Python than in
/// Swift's standard library.
enum PythonText {
    /// Works as Python's `str.lower()`: as `String.lowercased()`, but a capital sigma at the end of
    /// a word becomes ς.
    static func lowercased(_ text: String) -> String {
        let capitalSigma = Unicode.Scalar(0x3A3 as UInt16)
        guard let capitalSigma, text.unicodeScalars.contains(capitalSigma) else {
            return text.lowercased()
        }
        let scalars = Array(text.unicodeScalars)
        var result = ""
        for (index, scalar) in scalars.enumerated() {
            if scalar == capitalSigma {
                let isFinal =
                    isCased(firstOf: scalars[..<index].reversed())
                    && !isCased(firstOf: scalars[(index + 1)...])
                result += isFinal ? "ς" : "σ"
            } else {
                result += scalar.properties.lowercaseMapping
            }
        }
        return result
    }

    /// Replaces each run of two or more white-space characters by one space.
    ///
    /// This is Python's `re.sub(r"\s{2,}", " ", text)`; a single tab or newline remains.
    static func collapsingWhitespace(_ bytes: [UInt8]) -> [UInt8] {
        var result = String.UnicodeScalarView()
        var run: [Unicode.Scalar] = []
        for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
            if isSpace(scalar) {
                run.append(scalar)
            } else {
                append(run, to: &result)
                run.removeAll(keepingCapacity: true)
                result.append(scalar)
            }
        }
        append(run, to: &result)
        return Array(String(result).utf8)
    }

    private static func append(
        _ run: [Unicode.Scalar], to scalars: inout String.UnicodeScalarView
    ) {
        if run.count > 1 { scalars.append(" ") } else { scalars.append(contentsOf: run) }
    }

    /// Returns whether the first scalar that is not case-ignorable is cased.
    private static func isCased(firstOf scalars: some Sequence<Unicode.Scalar>) -> Bool {
        scalars.first { !$0.properties.isCaseIgnorable }?.properties.isCased ?? false
    }

    /// Works as Python's `str.isspace()`: Unicode white space and the four ASCII separators.
    static func isSpace(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0: true
        case ..<0x1680: false
        default: scalar.properties.isWhitespace
        }
    }
}
