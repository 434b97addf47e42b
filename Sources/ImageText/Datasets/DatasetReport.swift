public import SystemPackage

/// What ``DatasetValidator`` found.
public struct DatasetReport: Sendable {
    /// Something wrong with a data set.
    public enum Problem: Sendable, Hashable {
        /// There is no such file.
        case missingImage(FilePath)
        /// The file is there but cannot be decoded, and why.
        case undecodableImage(FilePath, reason: String)
        /// The image has no captions at all.
        case noCaption(FilePath)
        /// A caption, counted from 0, has nothing but white space and punctuation.
        case emptyCaption(FilePath, index: Int)
        /// The same caption is there twice or more for one image.
        case repeatedPair(FilePath, caption: String)
        /// Captions of one image that are the same to the model: they differ in case, punctuation
        /// or white space only.
        case equivalentCaptions(FilePath, captions: [String])
        /// Files with the same bytes.
        case identicalImages([FilePath])
    }

    /// How a count is distributed.
    public struct Distribution: Sendable, Hashable {
        /// The smallest and largest value.
        public let minimum, maximum: Int
        /// The middle value, the lower one of two.
        public let median: Int
        /// 95% of the values are not larger.
        public let percentile95: Int
        /// The average.
        public let mean: Double

        /// - Returns: `nil` where there are no values.
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

    /// How many images the annotations name.
    public internal(set) var images = 0
    /// How many captions they have.
    public internal(set) var captions = 0
    /// What is wrong, in the order of the images.
    public internal(set) var problems: [Problem] = []
    /// Words a caption, as white space separates them; `nil` without captions.
    public internal(set) var words: Distribution?
    /// Characters a caption; `nil` without captions.
    public internal(set) var characters: Distribution?
    /// Pixels across of the images that decode; `nil` where none does.
    public internal(set) var widths: Distribution?
    /// Pixels down of the images that decode; `nil` where none does.
    public internal(set) var heights: Distribution?

    /// Whether training would meet something it cannot use.
    ///
    /// That is a data set without images, a missing or damaged image, or an image or caption without
    /// words; what is merely there twice breaks nothing.
    public var isBroken: Bool { images == 0 || problems.contains(where: \.isBreaking) }
}

extension DatasetReport.Problem {
    /// Whether training cannot use what the problem is about.
    public var isBreaking: Bool {
        switch self {
        case .missingImage, .undecodableImage, .noCaption, .emptyCaption: true
        case .repeatedPair, .equivalentCaptions, .identicalImages: false
        }
    }
}
