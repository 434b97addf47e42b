public import SystemPackage

/// Pictures and captions for one step of training.
public struct TrainingBatch: Sendable {
    /// Normalised pixels, `[B, 3, S, S]`.
    public let pixels: [Float]
    /// A caption for each picture, as annotated: `[B]`.
    public let captions: [String]
    /// What the annotations call each image: `[B]`, equal for captions of the same image.
    public let ids: [Int]
    /// All captions of each picture, of which the row's own is one: `[B]`.
    public let pictureCaptions: [[String]]
    /// Where each picture came from: `[B]`.
    public let images: [FilePath]
    /// The epoch, from 0.
    public let epoch: Int
    /// The batch's place in its epoch, from 0.
    public let index: Int

    /// Whether caption i is one of picture j's: `[B, B]`; computed when it is asked for.
    public var truths: [Bool] {
        let known = pictureCaptions.map { Set($0) }
        return captions.flatMap { caption in known.map { $0.contains(caption) } }
    }
}
