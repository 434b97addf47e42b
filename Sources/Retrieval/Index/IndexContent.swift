/// What the entries of an index are.
public enum IndexContent: String, Sendable, Hashable, Codable {
    /// Pictures, with features of the image encoder and tokens for re-ranking.
    case images
    /// Texts, with features of the text encoder; the text itself is the entry's metadata `text`.
    case texts
}
