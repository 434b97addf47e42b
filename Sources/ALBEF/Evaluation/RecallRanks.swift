public import Torch

/// Where each query of both directions found its right answer.
public struct RecallRanks: Sendable, Hashable {
    /// The place of each text's image, 0 for the first; T places.
    public let textToImage: [Int]
    /// The place of the best of each image's texts, 0 for the first; images without a text have none.
    public let imageToText: [Int]
    /// The index of each text's image, T of them.
    public let images: [Int]

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
        self.images = images
        self.textToImage = images.indices.map { text in
            ScoreRow(byText[text * imageCount..<(text + 1) * imageCount]).rank(of: images[text])
        }
        let answers = Self.answers(images: images, texts: texts, imageCount: imageCount)
        self.imageToText = answers.indices.compactMap { image in
            ScoreRow(byImage[image * textCount..<(image + 1) * textCount])
                .bestRank(of: answers[image])
        }
    }

    /// Recall at 1, 5 and 10.
    public var metrics: RecallMetrics {
        RecallMetrics(
            textToImage: .init(ranks: textToImage), imageToText: .init(ranks: imageToText))
    }

    /// The texts of each image, its own and those of the same words.
    private static func answers(images: [Int], texts: [String], imageCount: Int) -> [[Int]] {
        var alike: [String: [Int]] = [:]
        for (index, text) in texts.enumerated() { alike[text, default: []].append(index) }
        var words = [Set<String>](repeating: [], count: imageCount)
        for (text, image) in zip(texts, images) { words[image].insert(text) }
        return words.map { $0.flatMap { alike[$0] ?? [] } }
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
