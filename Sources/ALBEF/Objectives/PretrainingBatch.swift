public import Torch

/// N images with a text each, as the objectives take them.
public struct PretrainingBatch: Sendable {
    /// The images: pixels, or what the frozen part of a trunk made of them.
    package var images: ImageInput
    /// Token ids `[N, L]`.
    public var ids: Tensor
    /// 1 for tokens, 0 for padding, `[N, L]`.
    public var mask: Tensor
    /// Which image each pair shows, equal for equal images, `[N]`; nil if that is not known.
    public var imageIDs: Tensor?
    /// Whether text i is known to describe image j, because the image has it as a caption,
    /// `[N, N]`, true on the diagonal; nil if that is not known.
    public var truths: Tensor?

    /// Puts a batch together, of normalised pixels `[N, 3, S, S]`.
    public init(
        pixels: Tensor, ids: Tensor, mask: Tensor, imageIDs: Tensor? = nil, truths: Tensor? = nil
    ) {
        self.init(
            images: .pixels(pixels), ids: ids, mask: mask, imageIDs: imageIDs, truths: truths)
    }

    /// Puts a batch together.
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

    /// The normalised pixels `[N, 3, S, S]`; nil where the batch has what a trunk made of them.
    public var pixels: Tensor? {
        if case .pixels(let pixels) = images { pixels } else { nil }
    }

    /// Number of pairs N.
    public var count: Int { images.count }
}

/// What a step of training found: L = L_itc + L_itm + L_mlm (equation 3-6), and its parts.
public struct PretrainingLosses: Sendable {
    /// The weighted sum, a scalar with a gradient.
    public var total: Tensor
    /// ITC; nil where it is left out.
    public var contrastive: ContrastiveObjective.Outcome?
    /// ITM; nil where it is left out.
    public var matching: MatchingObjective.Outcome?
    /// MLM; nil where it is left out.
    public var maskedLanguage: MaskedLanguageObjective.Outcome?
    /// The features that ITC compared, student's and teacher's; nil where it is left out.
    public var features:
        (student: ContrastiveObjective.Features, teacher: ContrastiveObjective.Features?)?
}
