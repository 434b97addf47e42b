/// Recall at 1, 5 and 10 in both directions, in percent, counted as in the original.
public struct RecallMetrics: Sendable, Hashable, Codable {
    /// The recalls of one direction.
    public struct Direction: Sendable, Hashable, Codable {
        /// The share of queries whose first result is a right answer, in percent.
        public var r1: Double
        /// The share of queries with a right answer among the first five, in percent.
        public var r5: Double
        /// The share of queries with a right answer among the first ten, in percent.
        public var r10: Double

        /// Creates a direction from three recalls in percent.
        public init(r1: Double, r5: Double, r10: Double) {
            self.r1 = r1
            self.r5 = r5
            self.r10 = r10
        }

        /// Creates a direction from the rank of each query's answer; 0 is the first place.
        init(ranks: [Int]) {
            func share(within limit: Int) -> Double {
                guard !ranks.isEmpty else { return 0 }
                return 100 * Double(ranks.count { $0 < limit }) / Double(ranks.count)
            }
            r1 = share(within: 1)
            r5 = share(within: 5)
            r10 = share(within: 10)
        }

        /// The mean of the three recalls.
        public var mean: Double { (r1 + r5 + r10) / 3 }
    }

    /// The recalls of texts that search for their image (IR).
    public var textToImage: Direction
    /// The recalls of images that search for one of their captions (TR); the best rank counts.
    public var imageToText: Direction

    /// The mean of both directions, by which the original selects its model.
    public var mean: Double { (textToImage.mean + imageToText.mean) / 2 }

    /// Creates metrics from the recalls of both directions.
    public init(textToImage: Direction, imageToText: Direction) {
        self.textToImage = textToImage
        self.imageToText = imageToText
    }

    enum CodingKeys: String, CodingKey {
        case textToImage = "text_to_image"
        case imageToText = "image_to_text"
        case mean
    }

    /// Decodes both directions and ignores a stored mean.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        textToImage = try container.decode(Direction.self, forKey: .textToImage)
        imageToText = try container.decode(Direction.self, forKey: .imageToText)
    }

    /// Encodes both directions, and their mean for other readers.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(textToImage, forKey: .textToImage)
        try container.encode(imageToText, forKey: .imageToText)
        try container.encode(mean, forKey: .mean)
    }
}
