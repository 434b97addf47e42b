/// The kind of an index's entries.
public enum IndexContent: String, Sendable, Hashable, Codable {
    /// Images, with features from the image encoder and tokens for re-ranking.
    case images
    /// Texts, with features from the text encoder; the metadata `text` contains the text itself.
    case texts

    /// Returns whether the fusion encoder can score the match of a query with the entries.
    ///
    /// The fusion encoder needs a text and one image. If a query has several images, no single one
    /// represents it.
    public func isReadable(with query: SearchQuery) -> Bool {
        switch self {
        case .images: query.text != nil
        case .texts: query.readableImage != nil
        }
    }
}
