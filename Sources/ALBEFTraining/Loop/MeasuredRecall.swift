public import ALBEF

/// Recall at 1, 5 and 10 in both directions with standard errors, or what one order gains over
/// another.
public struct MeasuredRecall: Sendable, Hashable, Codable {
    /// One direction.
    public struct Direction: Sendable, Hashable, Codable {
        /// Queries whose right answer is the first.
        public var r1: MeasuredShare
        /// Queries with a right answer among the first five.
        public var r5: MeasuredShare
        /// Queries with a right answer among the first ten.
        public var r10: MeasuredShare

        /// - Parameters:
        ///   - ranks: the place of each query's answer, 0 for the first.
        ///   - other: the same in an order whose recall is subtracted.
        ///   - groups: which queries are about the same image.
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

    /// Texts ask for their image.
    ///
    /// The texts of one image are not independent: standard errors count by image.
    public var textToImage: Direction
    /// Images ask for one of their texts.
    public var imageToText: Direction

    /// Measures recall.
    ///
    /// - Parameters:
    ///   - ranks: what was found.
    ///   - other: what was found in another order of the same data; the recalls are then differences,
    ///     query by query.
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
