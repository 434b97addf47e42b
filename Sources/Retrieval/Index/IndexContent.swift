/// What the entries of an index are.
public enum IndexContent: String, Sendable, Hashable, Codable {
    /// Images, with features of the image encoder and tokens for re-ranking.
    case images
    /// Texts, with features of the text encoder; the text itself is the entry's metadata `text`.
    case texts

    /// Whether the fusion encoder can say how well a query matches the entries.
    ///
    /// It takes a text and an image. Of several images none stands for all.
    public func isReadable(with query: SearchQuery) -> Bool {
        switch self {
        case .images: query.text != nil
        case .texts: query.readableImage != nil
        }
    }
}
