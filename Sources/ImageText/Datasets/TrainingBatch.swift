public import SystemPackage

/// Images and captions for one step of training.
public struct TrainingBatch: Sendable {
    /// Normalised pixels of the rows that need them, `[pixelRows.count, 3, S, S]`.
    public let pixels: [Float]
    /// The rows that have pixels, in order: all of them, unless views are kept
    /// (``BatchLoader/Options/isKept``).
    public let pixelRows: [Int]
    /// The view that each row shows: `[B]`, or empty where samples are drawn anew.
    public let views: [AugmentedView]
    /// A caption for each image, as annotated: `[B]`.
    public let captions: [String]
    /// What the annotations call each image: `[B]`, equal for captions of the same image.
    public let ids: [Int]
    /// All captions of each image, of which the row's own is one: `[B]`.
    public let imageCaptions: [[String]]
    /// Where each image came from: `[B]`.
    public let images: [FilePath]
    /// The epoch, from 0.
    public let epoch: Int
    /// The batch's place in its epoch, from 0.
    public let index: Int

    /// Whether caption i is one of image j's: `[B, B]`; computed when it is asked for.
    public var truths: [Bool] {
        let known = imageCaptions.map { Set($0) }
        return captions.flatMap { caption in known.map { $0.contains(caption) } }
    }
}

/// One of the views of an image: a crop and what else the training transform makes of it, drawn once
/// and for all.
public struct AugmentedView: Sendable, Hashable {
    /// The image's position in the data set.
    public let image: Int
    /// Which of its views, from 0.
    public let index: Int

    /// Names a view.
    public init(image: Int, index: Int) {
        self.image = image
        self.index = index
    }
}
