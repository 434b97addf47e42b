/// Which published implementation a set of weights was made for.
///
/// The switches of a configuration say what the layers compute; the dialect says what is fed in,
/// and how pairs are scored. It is stored with the weights, because nothing else tells it at run
/// time.
public enum Dialect: String, Sendable, Hashable, Codable, CaseIterable {
    /// The original repository: texts end without `[SEP]`, the re-ranking score is the match logit
    /// alone.
    case albef
    /// The re-implementation in LAVIS: texts end with `[SEP]`, the re-ranking score is the match
    /// logit plus the cosine.
    case lavis
    /// BLIP's retrieval models: texts and score as in LAVIS, read with an image from the start.
    case blip
    /// CLIP and its kin: texts as typed, pairs scored by a softmax over candidates.
    case clip
    /// SigLIP: texts as typed, each pair scored by itself, by a sigmoid.
    case siglip

    /// Those of the two implementations of ALBEF.
    public static let original: [Dialect] = [.albef, .lavis]

    /// Whether its text encoders usually add the vector of token type 0; LAVIS dropped the table.
    public var hasTokenTypes: Bool { self == .albef }
}
