public import SystemPackage

/// A query: a sentence, images, or both, and parts to exclude.
///
/// Recall compares one feature with those of the index, to which every part contributes; see
/// `PartWeights`. The fusion encoder re-ranks if it has a text and an image to read: images by
/// the sentence and by each excluded text, texts by an image. `CandidateOrder` describes how the
/// results are combined. Between two images, or two texts, the towers alone decide.
///
/// ```swift
/// let query = SearchQuery(text: "a dog on a beach", without: ["leash"])
/// ```
public struct SearchQuery: Sendable, Hashable {
    /// The maximum number of excluded texts.
    public static let maximumWithout = 4
    /// The maximum number of images, and of excluded images.
    public static let maximumImages = 8
    /// The maximum number of emphasised words.
    public static let maximumEmphasis = 8
    /// The permitted weights of a word.
    public static let weights = 0.0...4.0

    /// A sentence that describes the wanted images or texts; nil for none.
    public var text: String?
    /// Images that the results should resemble; several images count by their mean.
    public var images: [QueryImage]
    /// Texts that the results must not match.
    public var without: [String]
    /// Images that the results must not resemble.
    public var unlike: [QueryImage]
    /// The weights of words or phrases of the sentence: 1 changes nothing, 2 doubles the weight,
    /// and 0 nearly removes the word.
    public var emphasis: [String: Double]

    /// Creates a query from its parts.
    public init(
        text: String? = nil, images: [QueryImage] = [], without: [String] = [],
        unlike: [QueryImage] = [], emphasis: [String: Double] = [:]
    ) {
        self.text = text
        self.images = images
        self.without = without
        self.unlike = unlike
        self.emphasis = emphasis
    }

    /// Returns a query for images that a sentence describes, or for similar texts.
    public static func text(_ text: String) -> SearchQuery { SearchQuery(text: text) }

    /// Returns a query for images that resemble an image, or for texts that describe it.
    public static func image(_ image: QueryImage) -> SearchQuery {
        SearchQuery(images: [image])
    }

    /// Returns a query for results that resemble both an image and a sentence.
    public static func imageAndText(_ image: QueryImage, _ text: String) -> SearchQuery {
        SearchQuery(text: text, images: [image])
    }

    /// Whether the query has a sentence or an image, rather than exclusions alone.
    public var isAsking: Bool { text != nil || !images.isEmpty }

    /// The image that the fusion encoder can read with texts: the only image, if its pixels are
    /// known.
    var readableImage: QueryImage? {
        guard images.count == 1, let image = images.first else { return nil }
        if case .entry = image { return nil }
        return image
    }

    /// Whether the query consists only of a sentence and excluded texts.
    var isOfTexts: Bool { text != nil && images.isEmpty && unlike.isEmpty }

    /// Whether the query has excluded parts or emphasised words.
    var isComposed: Bool { !without.isEmpty || !unlike.isEmpty || !emphasis.isEmpty }

    /// Checks the parts of the query that can be checked without a model or an index.
    ///
    /// - Throws: ``QueryError`` that names the invalid part: if there is nothing to search for, a
    ///   part has too many elements, a weight is out of bounds, or words are emphasised without a
    ///   sentence.
    public func check() throws {
        guard isAsking else {
            throw without.isEmpty && unlike.isEmpty
                ? QueryError.empty("")
                : QueryError.invalid(
                    "\(without.isEmpty ? "unlike" : "without"): the query contains only exclusions;"
                        + " add a text or an image of what to look for")
        }
        guard without.count <= Self.maximumWithout else {
            throw QueryError.invalid("without: give at most \(Self.maximumWithout) texts")
        }
        for (part, images) in [("images", images), ("unlike", unlike)] {
            guard images.count <= Self.maximumImages else {
                throw QueryError.invalid("\(part): give at most \(Self.maximumImages) images")
            }
        }
        guard emphasis.count <= Self.maximumEmphasis else {
            throw QueryError.invalid("emphasis: give at most \(Self.maximumEmphasis) words")
        }
        guard emphasis.isEmpty || text != nil else {
            throw QueryError.invalid("emphasis: the query has no text; add one with these words")
        }
        let bounds = Self.weights
        for (word, weight) in emphasis.sorted(by: { $0.key < $1.key })
        where !bounds.contains(weight) {
            throw QueryError.invalid(
                "emphasis: '\(word.prefix(40))' has the weight \(weight); it must be from"
                    + " \(Int(bounds.lowerBound)) to \(Int(bounds.upperBound))")
        }
    }
}

/// An image in a query.
public enum QueryImage: Sendable, Hashable {
    /// A file, which is read when the search begins.
    case file(FilePath)
    /// An image that a ``SearchModel`` prepared with `pixels(of:)`.
    case pixels(PreparedImage)
    /// An image of the searched index, whose stored feature is used.
    case entry(EntryKey)
}
