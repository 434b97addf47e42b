import Retrieval

/// What a search asks for besides a text and an image: more images, what to leave out, what weighs
/// more.
struct QueryComposition: Sendable {
    /// Ids of images that results are to be like.
    var images: [String] = []
    /// Texts that images must not match.
    var without: [String] = []
    /// Ids of images that results must be unlike.
    var unlike: [String] = []
    /// How much words of the text weigh.
    var emphasis: [String: Double] = [:]

    /// The whole query.
    ///
    /// - Parameters:
    ///   - text: checked by ``ServiceParts/checked(_:_:)``.
    ///   - image: the image that the request names or brings by itself.
    /// - Throws: ``Problem`` or `QueryError` that names the field.
    func query(
        text: String?, _ image: QueryImage?, _ parts: ServiceParts
    ) throws -> SearchQuery {
        let query = SearchQuery(
            text: text,
            images: (image.map { [$0] } ?? [])
                + (try images.map { try entry($0, "images", parts) }),
            without: try without.map { try parts.checked($0, "without") },
            unlike: try unlike.map { try entry($0, "unlike", parts) },
            emphasis: emphasis)
        guard query.isAsking || !without.isEmpty || !unlike.isEmpty else {
            throw Problem(.invalidRequest, "ask by a text, by an image, or by both")
        }
        try query.check()
        return query
    }

    /// An image of the index.
    ///
    /// - Throws: ``Problem`` if it does not exist.
    private func entry(
        _ id: String, _ field: String, _ parts: ServiceParts
    ) throws -> QueryImage {
        let gallery = parts.library.gallery
        guard gallery.index.content == .images else {
            throw Problem(.conflict, "\(field): this index is of texts")
        }
        guard let key = EntryKey(hexadecimal: id),
            try parts.library.locator.find(key, in: gallery.index) != nil
        else {
            throw Problem(.notFound, "\(field): there is no image of the id '\(id.prefix(40))'")
        }
        return .entry(key)
    }
}
