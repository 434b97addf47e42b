public import Torch

/// A batch of N images with one text each, the input of the objectives.
public struct PretrainingBatch: Sendable {
    /// The images: pixels, or the output of the frozen part of a trunk.
    package var images: ImageInput
    /// Token ids `[N, L]`.
    public var ids: Tensor
    /// 1 for tokens, 0 for padding, `[N, L]`.
    public var mask: Tensor
    /// The image of each pair, equal for equal images, `[N]`; nil if unknown.
    public var imageIDs: Tensor?
    /// Whether text i is a caption of image j, `[N, N]`; true on the diagonal; nil if unknown.
    public var truths: Tensor?

    /// Creates a batch from normalised pixels `[N, 3, S, S]`.
    ///
    /// - Parameters:
    ///   - pixels: normalised pixels `[N, 3, S, S]`.
    ///   - ids: token ids `[N, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[N, L]`.
    ///   - imageIDs: the image of each pair, `[N]`; nil if unknown.
    ///   - truths: whether text i is a caption of image j, `[N, N]`; nil if unknown.
    public init(
        pixels: Tensor, ids: Tensor, mask: Tensor, imageIDs: Tensor? = nil, truths: Tensor? = nil
    ) {
        self.init(
            images: .pixels(pixels), ids: ids, mask: mask, imageIDs: imageIDs, truths: truths)
    }

    /// Creates a batch from images in either form.
    package init(
        images: ImageInput, ids: Tensor, mask: Tensor, imageIDs: Tensor? = nil,
        truths: Tensor? = nil
    ) {
        self.images = images
        self.ids = ids
        self.mask = mask
        self.imageIDs = imageIDs
        self.truths = truths
    }

    /// The normalised pixels `[N, 3, S, S]`; nil if the batch has the output of a trunk instead.
    public var pixels: Tensor? {
        if case .pixels(let pixels) = images { pixels } else { nil }
    }

    /// The number of pairs N.
    ///
    /// If several processes share the batch, each has the images of its part alone, but all texts.
    public var count: Int { ids.size(0) }
}

/// The losses of a training step: L = L_itc + L_itm + L_mlm (equation 5), and its parts.
public struct PretrainingLosses: Sendable {
    /// The weighted sum, a scalar with a gradient.
    public var total: Tensor
    /// The outcome of ITC; nil if it is turned off.
    public var contrastive: ContrastiveObjective.Outcome?
    /// The outcome of ITM; nil if it is turned off.
    public var matching: MatchingObjective.Outcome?
    /// The outcome of MLM; nil if it is turned off.
    public var maskedLanguage: MaskedLanguageObjective.Outcome?
    /// The features that ITC compared, of student and teacher; nil if ITC is turned off.
    public var features:
        (student: ContrastiveObjective.Features, teacher: ContrastiveObjective.Features?)?
}
