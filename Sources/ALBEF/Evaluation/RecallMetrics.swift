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

    /// Texts ask for their image (IR).
    public var textToImage: Direction
    /// Images ask for one of their captions (TR): the best rank among them counts.
    public var imageToText: Direction

    /// The mean of both directions, by which the original chooses its model.
    public var mean: Double { (textToImage.mean + imageToText.mean) / 2 }

    /// The recalls of both directions.
    public init(textToImage: Direction, imageToText: Direction) {
        self.textToImage = textToImage
        self.imageToText = imageToText
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
