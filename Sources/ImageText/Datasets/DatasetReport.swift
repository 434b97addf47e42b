public import SystemPackage

/// The result of a ``DatasetValidator``.
public struct DatasetReport: Sendable {
    /// A fault of a data set.
    public enum Problem: Sendable, Hashable {
        /// The file does not exist.
        case missingImage(FilePath)
        /// The file exists but cannot be decoded, for the given reason.
        case undecodableImage(FilePath, reason: String)
        /// The image has no captions.
        case noCaption(FilePath)
        /// The caption, counted from 0, contains only white space and punctuation.
        case emptyCaption(FilePath, index: Int)
        /// An image has the same caption at least twice.
        case repeatedPair(FilePath, caption: String)
        /// The captions of one image are the same for the model: they differ only in case,
        /// punctuation or white space.
        case equivalentCaptions(FilePath, captions: [String])
        /// The sample of a shard has no image.
        case noImage(FilePath)
        /// The caption of a sample of a shard cannot be read, for the given reason.
        case unreadableCaption(FilePath, reason: String)
        /// The rest of a shard cannot be used.
        case damagedShard(ShardDamage)
        /// The files have the same bytes.
        case identicalImages([FilePath])
    }

    /// The distribution of a count.
    public struct Distribution: Sendable, Hashable {
        /// The smallest and the largest value.
        public let minimum, maximum: Int
        /// The middle value; for an even number of values the lower of the middle two.
        public let median: Int
        /// The 95th percentile: 95% of the values are not larger.
        public let percentile95: Int
        /// The average.
        public let mean: Double

        /// Returns `nil` if `values` is empty.
        init?(_ values: [Int]) {
            let sorted = values.sorted()
            guard let first = sorted.first, let last = sorted.last else { return nil }
            minimum = first
            maximum = last
            median = sorted[(sorted.count - 1) / 2]
            percentile95 = sorted[(sorted.count - 1) * 95 / 100]
            mean = Double(sorted.reduce(0, +)) / Double(sorted.count)
        }
    }

    /// The number of images that the annotations name.
    public internal(set) var images = 0
    /// The number of their captions.
    public internal(set) var captions = 0
    /// The faults, in the order of the images.
    public internal(set) var problems: [Problem] = []
    /// The number of words per caption, separated by white space; `nil` without captions.
    public internal(set) var words: Distribution?
    /// The number of characters per caption; `nil` without captions.
    public internal(set) var characters: Distribution?
    /// The widths of the images in pixels; `nil` if no image can be decoded.
    public internal(set) var widths: Distribution?
    /// The heights of the images in pixels; `nil` if no image can be decoded.
    public internal(set) var heights: Distribution?

    /// Whether training would meet something that it cannot use.
    ///
    /// This is the case if the data set has no images, an image is missing or damaged, or an image
    /// or caption has no words. Duplicates do no harm.
    public var isBroken: Bool { images == 0 || problems.contains(where: \.isBreaking) }
}

extension DatasetReport.Problem {
    /// Whether training cannot use the image or caption in question.
    public var isBreaking: Bool {
        switch self {
        case .missingImage, .undecodableImage, .noCaption, .emptyCaption, .noImage,
            .unreadableCaption, .damagedShard:
            true
        case .repeatedPair, .equivalentCaptions, .identicalImages: false
        }
    }
}
