import Retrieval

/// The parts of a query besides its text and image: further images, exclusions, and emphasis.
struct QueryComposition: Sendable {
    /// The ids of images that results should resemble.
    var images: [String] = []
    /// The texts that results should not match.
    var without: [String] = []
    /// The ids of images that results should not resemble.
    var unlike: [String] = []
    /// The weights of words of the text.
    var emphasis: [String: Double] = [:]

    /// Returns the whole query.
    ///
    /// - Parameters:
    ///   - text: The text, already checked by ``ServiceParts/checked(_:_:)``.
    ///   - image: The image that the request names or carries.
    ///   - parts: The parts of the service.
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
            throw Problem(.invalidRequest, "the query is empty; send a text, an image, or both")
        }
        try query.check()
        return query
    }

    /// Returns an image of the index.
    ///
    /// - Throws: ``Problem`` if no image has the id.
    private func entry(
        _ id: String, _ field: String, _ parts: ServiceParts
    ) throws -> QueryImage {
        let gallery = parts.library.gallery
        guard gallery.index.content == .images else {
            throw Problem(.conflict, "\(field): this is an index of texts, which has no images")
        }
        guard let key = EntryKey(hexadecimal: id),
            try parts.library.locator.find(key, in: gallery.index) != nil
        else {
            throw Problem(.notFound, "\(field): no image has the id '\(id.prefix(40))'")
        }
        return .entry(key)
    }
}
