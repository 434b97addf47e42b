public import Torch

/// N images with a text each, as the objectives take them.
public struct PretrainingBatch: Sendable {
    /// Normalised pixels `[N, 3, S, S]`.
    public var pixels: Tensor
    /// Token ids `[N, L]`.
    public var ids: Tensor
    /// 1 for tokens, 0 for padding, `[N, L]`.
    public var mask: Tensor
    /// Which image each pair shows, equal for equal images, `[N]`; nil if that is not known.
    public var imageIDs: Tensor?
    /// Whether text i is known to describe image j, because the image has it as a caption,
    /// `[N, N]`, true on the diagonal; nil if that is not known.
    public var truths: Tensor?

    /// Puts a batch together.
    public init(
        pixels: Tensor, ids: Tensor, mask: Tensor, imageIDs: Tensor? = nil, truths: Tensor? = nil
    ) {
        self.pixels = pixels
        self.ids = ids
        self.mask = mask
        self.imageIDs = imageIDs
        self.truths = truths
    }

    /// Number of pairs N.
    public var count: Int { pixels.size(0) }
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
