public import SystemPackage

/// Images and captions for one step of training.
public struct TrainingBatch: Sendable {
    /// The normalised pixels of the rows that need them, `[pixelRows.count, 3, S, S]`.
    public let pixels: [Float]
    /// The rows that have pixels, ascending: all rows unless ``BatchLoader/Options/isKept`` returns
    /// `true` for some views.
    public let pixelRows: [Int]
    /// The view of each row, `[B]`; empty if every sample is augmented anew.
    public let views: [AugmentedView]
    /// The caption of each row, as annotated, `[B]`.
    public let captions: [String]
    /// The ``CaptionedImage/id`` of each row's image, `[B]`.
    public let ids: [Int]
    /// All captions of each row's image, including the row's own, `[B]`.
    public let imageCaptions: [[String]]
    /// The file of each row's image, `[B]`.
    public let images: [FilePath]
    /// The epoch, from 0.
    public let epoch: Int
    /// The position of the batch in its epoch, from 0.
    public let index: Int

    /// Whether caption *i* is one of the captions of image *j*, `[B, B]`, row-major.
    ///
    /// - Complexity: O(B²) for B rows; the value is computed on each access.
    public var truths: [Bool] {
        let known = imageCaptions.map { Set($0) }
        return captions.flatMap { caption in known.map { $0.contains(caption) } }
    }
}

/// One of the fixed views of an image: a crop with its augmentation, drawn once.
public struct AugmentedView: Sendable, Hashable {
    /// The image's position in the data set.
    public let image: Int
    /// The number of the view, from 0.
    public let index: Int

    /// Creates the name of a view.
    public init(image: Int, index: Int) {
        self.image = image
        self.index = index
    }
}
