internal import Foundation

/// The four normal forms of Unicode.
enum UnicodeForm: Sendable {
    case nfc, nfd, nfkc, nfkd

    /// A text in this form.
    ///
    /// The runtime's own forms have two faults (Swift 6.3): a composed Hangul syllable does not take
    /// a final consonant that follows it, and marks after a compatibility mapping are not put in
    /// their order. Going by way of NFD mends both.
    func normalized(_ text: String) -> String {
        switch self {
        case .nfd: text.decomposedStringWithCanonicalMapping
        case .nfc: Self.nfd.normalized(text).precomposedStringWithCanonicalMapping
        case .nfkd: Self.nfd.normalized(text.decomposedStringWithCompatibilityMapping)
        case .nfkc: Self.nfkd.normalized(text).precomposedStringWithCanonicalMapping
        }
    }
}
