public import ALBEF

/// Recall at 1, 5 and 10 in both directions with standard errors, or the gain in recall of one
/// ranking over another.
public struct MeasuredRecall: Sendable, Hashable, Codable {
    /// The recall of one direction.
    public struct Direction: Sendable, Hashable, Codable {
        /// The share of queries whose right answer is ranked first.
        public var r1: MeasuredShare
        /// The share of queries with a right answer among the first five.
        public var r5: MeasuredShare
        /// The share of queries with a right answer among the first ten.
        public var r10: MeasuredShare

        /// Computes the recall of one direction.
        ///
        /// - Parameters:
        ///   - ranks: The rank of each query's best answer, from 0.
        ///   - other: The ranks in another order, whose recall is subtracted.
        ///   - groups: The image of each query; queries with the same image are not independent.
        fileprivate init(_ ranks: [Int], over other: [Int]?, groups: [Int]) {
            func share(within limit: Int) -> MeasuredShare {
                var found = ranks.map { $0 < limit ? 1 : 0 }
                if let other {
                    found = zip(found, other).map { $0 - ($1 < limit ? 1 : 0) }
                }
                return MeasuredShare(of: found, groups: groups)
            }
            r1 = share(within: 1)
            r5 = share(within: 5)
            r10 = share(within: 10)
        }
    }

    /// The recall of images by their texts.
    ///
    /// The texts of one image are not independent, so the standard errors group them by image.
    public var textToImage: Direction
    /// The recall of texts by their images.
    public var imageToText: Direction

    /// Computes recall from ranks.
    ///
    /// - Parameters:
    ///   - ranks: The ranks of the right answers.
    ///   - other: The ranks of another order on the same data. If given, every recall is a
    ///     difference, computed query by query.
    /// - Complexity: O(*n* log *n*) in the number of queries.
    public init(_ ranks: RecallRanks, over other: RecallRanks? = nil) {
        textToImage = Direction(
            ranks.textToImage, over: other?.textToImage, groups: ranks.images)
        imageToText = Direction(
            ranks.imageToText, over: other?.imageToText,
            groups: Array(ranks.imageToText.indices))
    }

    enum CodingKeys: String, CodingKey {
        case textToImage = "text_to_image"
        case imageToText = "image_to_text"
    }
}
