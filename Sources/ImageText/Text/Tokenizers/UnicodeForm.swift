internal import Foundation

/// Unicode's four normal forms.
enum UnicodeForm: Sendable {
    case nfc, nfd, nfkc, nfkd

    /// Returns a text in this form.
    ///
    /// The runtime's own forms have two faults (Swift 6.3): a composed Hangul syllable does not
    /// absorb a final consonant after it, and marks are not reordered after a compatibility
    /// mapping. Applying NFD first corrects both.
    func normalized(_ text: String) -> String {
        switch self {
        case .nfd: text.decomposedStringWithCanonicalMapping
        case .nfc: Self.nfd.normalized(text).precomposedStringWithCanonicalMapping
        case .nfkd: Self.nfd.normalized(text.decomposedStringWithCompatibilityMapping)
        case .nfkc: Self.nfkd.normalized(text).precomposedStringWithCanonicalMapping
        }
    }
}
