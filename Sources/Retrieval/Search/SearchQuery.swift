public import SystemPackage

/// What is searched for: a sentence, images, or both, and what the results must not be.
///
/// Recall compares one feature with the index's, to which every part adds its own; see
/// ``PartWeights``. The fusion encoder re-ranks where it has a text and an image to read: images by
/// the sentence and by each text to leave out, texts by an image. See ``MatchCalibration`` for how
/// the two are put together. Between two of a kind the towers alone decide.
public struct SearchQuery: Sendable, Hashable {
    /// How many texts may be left out.
    public static let maximumWithout = 4
    /// How many images a query may have, and how many it may be unlike.
    public static let maximumImages = 8
    /// How many words may be emphasised.
    public static let maximumEmphasis = 8
    /// The weights that a word may have.
    public static let weights = 0.0...4.0

    /// A sentence that describes what is searched for; nil for none.
    public var text: String?
    /// Images that what is searched for is like; of several, like their mean.
    public var images: [QueryImage]
    /// Texts that images must not match.
    public var without: [String]
    /// Images that what is searched for must be unlike.
    public var unlike: [QueryImage]
    /// How much words or phrases weigh beside the sentence: 1 as they do anyhow, 2 twice as much, 0
    /// as if they were hardly there.
    public var emphasis: [String: Double]

    /// A query of any parts.
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

    /// Images that a sentence describes, or texts like it.
    public static func text(_ text: String) -> SearchQuery { SearchQuery(text: text) }

    /// Images that look like one, or texts that describe it.
    public static func image(_ image: QueryImage) -> SearchQuery {
        SearchQuery(images: [image])
    }

    /// What is like both an image and a sentence.
    public static func imageAndText(_ image: QueryImage, _ text: String) -> SearchQuery {
        SearchQuery(text: text, images: [image])
    }

    /// Whether there is something to search for, rather than something to leave out alone.
    public var isAsking: Bool { text != nil || !images.isEmpty }

    /// The image that the fusion encoder can read with texts: the only one, if its pixels are known.
    var readableImage: QueryImage? {
        guard images.count == 1, let image = images.first else { return nil }
        if case .entry = image { return nil }
        return image
    }

    /// Whether it has no part but a sentence and texts to leave out.
    var isOfTexts: Bool { text != nil && images.isEmpty && unlike.isEmpty }

    /// Whether parts take something away or weigh more than others.
    var isComposed: Bool { !without.isEmpty || !unlike.isEmpty || !emphasis.isEmpty }

    /// Checks what can be told of a query without a model or an index.
    ///
    /// - Throws: ``QueryError`` that names the part, if there is nothing to search for, there is too
    ///   much of a part, or a weight is out of bounds or there is no sentence.
    public func check() throws {
        guard isAsking else {
            throw without.isEmpty && unlike.isEmpty
                ? QueryError.empty("")
                : QueryError.invalid(
                    "\(without.isEmpty ? "unlike" : "without"): the query says only what to leave"
                        + " out; add a text or an image of what to look for")
        }
        guard without.count <= Self.maximumWithout else {
            throw QueryError.invalid("without: \(Self.maximumWithout) texts at most")
        }
        for (part, images) in [("images", images), ("unlike", unlike)] {
            guard images.count <= Self.maximumImages else {
                throw QueryError.invalid("\(part): \(Self.maximumImages) images at most")
            }
        }
        guard emphasis.count <= Self.maximumEmphasis else {
            throw QueryError.invalid("emphasis: \(Self.maximumEmphasis) words at most")
        }
        guard emphasis.isEmpty || text != nil else {
            throw QueryError.invalid("emphasis: there is no text whose words could weigh more")
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

/// An image that is searched by.
public enum QueryImage: Sendable, Hashable {
    /// A file, read when the search begins.
    case file(FilePath)
    /// What ``SearchModel/pixels(of:)`` or ``SearchModel/pixels(of:named:)`` read.
    case pixels(PreparedImage)
    /// An image of the index that is searched, whose feature is there already.
    case entry(EntryKey)
}
