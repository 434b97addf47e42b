public import Torch

/// The rank of the right answer for each query of both directions.
public struct RecallRanks: Sendable, Hashable {
    /// The rank of each text's image, 0 for the first; T ranks.
    public let textToImage: [Int]
    /// The best rank among each image's texts, 0 for the first; images without a text are left out.
    public let imageToText: [Int]
    /// The index of each text's image; T indices.
    public let images: [Int]

    /// Ranks the answers of both directions.
    ///
    /// The right answers of an image are its own texts and every text of the same words, since
    /// nothing could distinguish them. The right answer of a text is its own image. Of equal scores
    /// the one with the higher index comes first, as in the original, which sorts in ascending
    /// order and reads the result backwards. (The original's sort may exchange equal scores in long
    /// rows.) NaN scores come last; in the original they come first.
    ///
    /// - Parameters:
    ///   - imageToText: the scores of each image with each text, `[I, T]`.
    ///   - textToImage: the scores of each text with each image, `[T, I]`.
    ///   - images: the index of each text's image; T indices.
    ///   - texts: the words of each text after cleaning; T texts.
    /// - Precondition: `images` and `texts` have T elements.
    /// - Complexity: O(I · T), if few texts repeat the words of others.
    public init(imageToText: Tensor, textToImage: Tensor, images: [Int], texts: [String]) {
        let (imageCount, textCount) = (imageToText.size(0), imageToText.size(1))
        precondition(
            images.count == textCount && texts.count == textCount,
            "\(images.count) images and \(texts.count) texts, but \(textCount) columns of scores")
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

    /// Returns the right texts of each image: its own, and those of the same words.
    private static func answers(images: [Int], texts: [String], imageCount: Int) -> [[Int]] {
        var alike: [String: [Int]] = [:]
        for (index, text) in texts.enumerated() { alike[text, default: []].append(index) }
        var words = [Set<String>](repeating: [], count: imageCount)
        for (text, image) in zip(texts, images) { words[image].insert(text) }
        return words.map { $0.flatMap { alike[$0] ?? [] } }
    }
}

/// The scores of one query with every candidate.
private struct ScoreRow {
    private let scores: [Float]

    init(_ scores: ArraySlice<Float>) { self.scores = Array(scores) }

    /// Returns how many candidates come before an answer.
    func rank(of answer: Int) -> Int { scores.indices.count { isAhead($0, of: answer) } }

    /// Returns the rank of the best of several answers; nil if `answers` is empty.
    func bestRank(of answers: [Int]) -> Int? {
        answers.max { isAhead($1, of: $0) }.map(rank)
    }

    /// Returns whether one candidate comes before another, in an order without ties.
    private func isAhead(_ place: Int, of other: Int) -> Bool {
        let (score, reference) = (scores[place], scores[other])
        // A NaN must not earn a place by luck, so it comes after every other candidate.
        if reference.isNaN { return place != other }
        return score > reference || (score == reference && place > other)
    }
}
