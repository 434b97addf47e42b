/// The cleaning of a text before its tokenizer, by its name in `config.json`.
public enum TextCleaning: String, Sendable, Hashable, Codable, CaseIterable {
    /// No cleaning.
    case none
    /// The original ALBEF's cleaning of a caption: ``TextRules/albef``.
    case albef
    /// LAVIS's and BLIP's cleaning of a caption: ``TextRules/lavis``.
    case lavis
    /// Lower case, for SigLIP 2 and similar models whose older tokenizer files omit it.
    case lowercase
    /// OpenCLIP's `lower`: repaired characters, HTML unescaped, single spaces, lower case.
    case openCLIP = "openclip"
    /// OpenCLIP's `whitespace`: as ``openCLIP``, without the lower case.
    case openCLIPWhitespace = "openclip_whitespace"
    /// OpenCLIP's `canonicalize`: as ``openCLIP``, with `_` turned into a space and without ASCII
    /// punctuation.
    case openCLIPCanonical = "openclip_canonical"
    /// SigLIP's own cleaning: lower case, no ASCII punctuation, single spaces.
    case siglip

    /// Returns the cleaned text without the limit on the words of a caption.
    public func unlimited(_ text: String) -> String {
        var rules: TextRules
        switch self {
        case .albef: rules = .albef
        case .lavis: rules = .lavis
        default: return clean(text)
        }
        rules.captionWords = .max
        return rules.caption(text)
    }

    /// Returns the cleaned text that the tokenizer receives.
    public func clean(_ text: String) -> String {
        switch self {
        case .none: text
        case .albef: TextRules.albef.caption(text)
        case .lavis: TextRules.lavis.caption(text)
        case .lowercase:
            String(
                decoding: TextNormalizer.lowercase.normalized(Array(text.utf8)), as: UTF8.self)
        case .openCLIP: OpenCLIPCleaning.lower(text)
        case .openCLIPWhitespace: OpenCLIPCleaning.whitespace(text)
        case .openCLIPCanonical: OpenCLIPCleaning.canonical(text)
        case .siglip:
            OpenCLIPCleaning.joined(
                OpenCLIPCleaning.withoutPunctuation(PythonText.lowercased(text)))
        }
    }
}
