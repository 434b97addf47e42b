/// What happens to a text before its tokenizer, by the name that `config.json` gives it.
public enum TextCleaning: String, Sendable, Hashable, Codable, CaseIterable {
    /// Nothing.
    case none
    /// As a caption of the original ALBEF: ``TextRules/albef``.
    case albef
    /// As a caption of LAVIS and BLIP: ``TextRules/lavis``.
    case lavis
    /// Lower case: SigLIP 2 and its kin, whose older files do not do it themselves.
    case lowercase
    /// OpenCLIP's `lower`: mended characters, HTML unescaped, single spaces, lower case.
    case openCLIP = "openclip"
    /// OpenCLIP's `whitespace`: as ``openCLIP``, without the lower case.
    case openCLIPWhitespace = "openclip_whitespace"
    /// OpenCLIP's `canonicalize`: as ``openCLIP``, and `_` becomes a space and ASCII punctuation
    /// vanishes.
    case openCLIPCanonical = "openclip_canonical"
    /// SigLIP's own: lower case, no ASCII punctuation, single spaces.
    case siglip

    /// The text that the tokenizer would see if captions could have any number of words.
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

    /// The text that the tokenizer sees.
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
