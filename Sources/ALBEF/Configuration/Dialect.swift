/// Which of the two published implementations a set of weights was made for.
///
/// The two share every layer but differ in what they feed in and how they rank. The choice is
/// stored with the weights, because nothing else tells the two apart at run time.
public enum Dialect: String, Sendable, Hashable, Codable, CaseIterable {
    /// The original repository: texts end without `[SEP]`, the token-type vector is added, the
    /// re-ranking score is the match logit alone.
    case albef
    /// The re-implementation in LAVIS: texts end with `[SEP]`, there is no token-type vector, the
    /// re-ranking score is the match logit plus the cosine.
    case lavis
}
