/// The class of a Unicode scalar in the patterns that split texts.
///
/// The categories are those of the Swift runtime's Unicode version (17 with Swift 6.3). Those of
/// the Rust and Python libraries differ only in scripts added since 2024.
enum ScalarClass: UInt8 {
    /// `\p{L}`.
    case letter
    /// `\p{N}`.
    case number
    /// `\s`: the property White_Space.
    case space
    /// Anything else.
    case other

    static func of(_ scalar: UInt32) -> ScalarClass {
        if scalar < 0x10000 { return basicPlane[Int(scalar)] }
        return Unicode.Scalar(scalar).map(of) ?? .other
    }

    /// The class of every scalar below U+10000; surrogates do not occur.
    static let basicPlane: [ScalarClass] = (UInt32(0)...0xFFFF).map { code in
        Unicode.Scalar(code).map(of) ?? .other
    }

    private static func of(_ scalar: Unicode.Scalar) -> ScalarClass {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: scalar.properties.isWhitespace ? .space : .other
        }
    }
}
