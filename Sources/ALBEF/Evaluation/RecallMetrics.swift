public import Torch

/// Recall at 1, 5 and 10 in both directions, in percent, as the original counts it.
public struct RecallMetrics: Sendable, Hashable, Codable {
    /// One direction.
    public struct Direction: Sendable, Hashable, Codable {
        /// Queries whose right answer is the first, in percent.
        public var r1: Double
        /// Queries with a right answer among the first five, in percent.
        public var r5: Double
        /// Queries with a right answer among the first ten, in percent.
        public var r10: Double

        /// Three recalls in percent.
        public init(r1: Double, r5: Double, r10: Double) {
            self.r1 = r1
            self.r5 = r5
            self.r10 = r10
        }

        /// Counts ranks, 0 for the first place.
        init(ranks: [Int]) {
            func share(within limit: Int) -> Double {
                guard !ranks.isEmpty else { return 0 }
                return 100 * Double(ranks.count { $0 < limit }) / Double(ranks.count)
            }
            r1 = share(within: 1)
            r5 = share(within: 5)
            r10 = share(within: 10)
        }

        /// The mean of the three.
        public var mean: Double { (r1 + r5 + r10) / 3 }
    }

    /// Texts ask for their picture (IR).
    public var textToImage: Direction
    /// Pictures ask for one of their captions (TR): the best rank among them counts.
    public var imageToText: Direction

    /// The mean of both directions, by which the original chooses its model.
    public var mean: Double { (textToImage.mean + imageToText.mean) / 2 }

    /// The recalls of both directions.
    public init(textToImage: Direction, imageToText: Direction) {
        self.textToImage = textToImage
        self.imageToText = imageToText
    }

    /// Ranks the answers of both directions.
    ///
    /// An image's right answers are its own texts and every text that says the same word for word:
    /// nothing could tell them apart. A text's right answer is its own image. Of equal scores the
    /// one with the higher index comes first, as in the original, which sorts in ascending order and
    /// reads the result backwards. (The original's sort may exchange equal scores in long rows.)
    /// Scores that are not numbers come last; in the original they come first.
    ///
    /// - Parameters:
    ///   - imageToText: scores of each image with each text, `[I, T]`.
    ///   - textToImage: scores of each text with each image, `[T, I]`.
    ///   - images: the index of each text's image, T of them.
    ///   - texts: what each text says after cleaning, T of them.
    /// - Complexity: O(I · T).
    public init(imageToText: Tensor, textToImage: Tensor, images: [Int], texts: [String]) {
        let (imageCount, textCount) = (imageToText.size(0), imageToText.size(1))
        precondition(
            images.count == textCount && texts.count == textCount,
            "\(images.count) images and \(texts.count) texts for \(textCount) columns of scores")
        let byImage: [Float] = imageToText.values()
        let byText: [Float] = textToImage.values()
        self.textToImage = Direction(
            ranks: images.indices.map { text in
                ScoreRow(byText[text * imageCount..<(text + 1) * imageCount]).rank(of: images[text])
            })
        let answers = Self.answers(images: images, texts: texts, imageCount: imageCount)
        self.imageToText = Direction(
            ranks: answers.indices.compactMap { image in
                ScoreRow(byImage[image * textCount..<(image + 1) * textCount])
                    .bestRank(of: answers[image])
            })
    }

    /// The texts of each image, its own and those of the same words.
    private static func answers(images: [Int], texts: [String], imageCount: Int) -> [[Int]] {
        var alike: [String: [Int]] = [:]
        for (index, text) in texts.enumerated() { alike[text, default: []].append(index) }
        var words = [Set<String>](repeating: [], count: imageCount)
        for (text, image) in zip(texts, images) { words[image].insert(text) }
        return words.map { $0.flatMap { alike[$0] ?? [] } }
    }

    enum CodingKeys: String, CodingKey {
        case textToImage = "text_to_image"
        case imageToText = "image_to_text"
        case mean
    }

    /// Reads both directions; a stored mean is not looked at.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        textToImage = try container.decode(Direction.self, forKey: .textToImage)
        imageToText = try container.decode(Direction.self, forKey: .imageToText)
    }

    /// Writes both directions, and their mean for other readers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(textToImage, forKey: .textToImage)
        try container.encode(imageToText, forKey: .imageToText)
        try container.encode(mean, forKey: .mean)
    }
}

/// The scores of one query with everything there is to find.
private struct ScoreRow {
    private let scores: [Float]

    init(_ scores: ArraySlice<Float>) { self.scores = Array(scores) }

    /// How many come before an answer.
    func rank(of answer: Int) -> Int { scores.indices.count { isAhead($0, of: answer) } }

    /// The rank of the best of several answers; nil if there are none.
    func bestRank(of answers: [Int]) -> Int? {
        answers.max { isAhead($1, of: $0) }.map(rank)
    }

    /// Whether one place comes before another, in an order that has no ties.
    private func isAhead(_ place: Int, of other: Int) -> Bool {
        let (score, reference) = (scores[place], scores[other])
        // Never a place by luck: what is not a number is behind every other answer.
        if reference.isNaN { return place != other }
        return score > reference || (score == reference && place > other)
    }
}
