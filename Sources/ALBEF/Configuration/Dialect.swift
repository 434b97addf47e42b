/// The published implementation for which a set of weights was made.
///
/// The switches of a configuration determine what the layers compute. The dialect determines how
/// inputs are prepared and how pairs are scored. It is stored with the weights, because they do not
/// determine it.
public enum Dialect: String, Sendable, Hashable, Codable, CaseIterable {
    /// The original repository: texts end without `[SEP]`, and the re-ranking score is the match
    /// logit alone.
    case albef
    /// The re-implementation in LAVIS: texts end with `[SEP]`, and the re-ranking score is the
    /// match logit plus the cosine.
    case lavis
    /// BLIP's retrieval models: texts and scores as in LAVIS, with one stack for both text
    /// encoders.
    case blip
    /// CLIP and its relatives: texts as typed, and pairs scored by a softmax over candidates.
    case clip
    /// SigLIP: texts as typed, and each pair scored by its own sigmoid.
    case siglip

    /// The dialects of the two implementations of ALBEF.
    public static let original: [Dialect] = [.albef, .lavis]

    /// Whether text encoders of the dialect usually add the vector of token type 0.
    public var hasTokenTypes: Bool { self == .albef }
}
