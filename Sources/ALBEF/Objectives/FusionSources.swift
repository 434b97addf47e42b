import Torch

/// The texts and images that the fusion encoder reads in a step.
///
/// A negative of a process's pair can belong to another process. Its states are then exchanged, with
/// their gradients, and follow those of the process itself.
struct FusionSources {
    /// The number of pairs N of this process.
    let count: Int
    /// The states of texts: this process's, their masked copies if there are any, and wrong texts of
    /// other processes, `[R, L, D]`.
    let states: Tensor
    /// 1 for tokens, 0 for padding, `[R, L]`.
    let mask: Tensor
    /// The tokens of images: this process's, and wrong images of other processes, `[S, P + 1, D_v]`.
    let tokens: Tensor
    /// The number of leading images that belong to this process; nil if all do.
    let alignedImages: Int?
    /// The wrong images and texts as indices into ``tokens`` and ``states``, `[N]`.
    let negatives: Negatives?

    /// Collects the sources, and exchanges them if negatives come from the whole batch.
    ///
    /// - Parameters:
    ///   - batch: the whole batch.
    ///   - texts: this process's texts, then their masked copies.
    ///   - tokens: the tokens of this process's images.
    ///   - negatives: indices into the whole batch; nil without ITM.
    ///   - share: the part of the batch that this process computes.
    init(
        _ batch: PretrainingBatch, _ texts: EncodedTexts, _ tokens: Tensor,
        _ negatives: Negatives?, _ share: BatchShare
    ) throws {
        let own = share.rows(of: batch.count)
        count = own.count
        guard let negatives, share.count > 1 else {
            (states, mask, self.tokens) = (texts.states, texts.mask, tokens)
            (alignedImages, self.negatives) = (nil, negatives)
            return
        }
        guard share.exchangesStates else {
            (states, mask, self.tokens, alignedImages) = (texts.states, texts.mask, tokens, nil)
            func local(_ indices: Tensor) -> Tensor {
                (indices - Double(own.lowerBound)).to(.int64)
            }
            self.negatives = Negatives(
                images: local(negatives.images), texts: local(negatives.texts))
            return
        }
        let allStates = try share.gathered(texts.states[0..<count])
        let allTokens = try share.gathered(tokens)
        let textCount = texts.states.size(0)
        states = .concatenated([texts.states, allStates[negatives.texts]])
        mask = .concatenated([texts.mask, batch.mask[negatives.texts]])
        self.tokens = .concatenated([tokens, allTokens[negatives.images]])
        alignedImages = count
        let device = tokens.device
        self.negatives = Negatives(
            images: .arange(count..<2 * count, device: device),
            texts: .arange(textCount..<textCount + count, device: device))
    }
}
