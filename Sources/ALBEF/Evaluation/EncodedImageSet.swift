public import Torch

/// The encoded images of a gallery, with their tokens stored in blocks.
///
/// The tokens of a few thousand images fill gigabytes: 1.8 MB per image at 384 pixels. Blocks may
/// therefore be tensors over mapped files, so that only the parts read occupy memory.
public struct EncodedImageSet: Sendable {
    /// Unit-length features `[I, E]`.
    public let features: Tensor
    private let blocks: [Tensor]
    private let ends: [Int]

    /// Creates a set from blocks of tokens.
    ///
    /// - Parameters:
    ///   - tokens: blocks `[n, P + 1, D_v]` that hold I images in total, in the order of
    ///     `features`.
    ///   - features: unit-length features `[I, E]`.
    /// - Precondition: the blocks hold as many images as `features` has rows.
    public init(tokens: [Tensor], features: Tensor) {
        self.features = features
        blocks = tokens
        var end = 0
        ends = tokens.map { block in
            end += block.size(0)
            return end
        }
        precondition(
            end == features.size(0), "tokens of \(end) images, but features of \(features.size(0))")
    }

    /// Creates a set of one block.
    public init(_ images: EncodedImages) {
        self.init(tokens: [images.tokens], features: images.features)
    }

    /// Returns the tokens of one image, `[1, P + 1, D_v]`, on the device of ``features``.
    ///
    /// - Parameter image: the image's index, from 0 to I - 1.
    public func tokens(of image: Int) -> Tensor {
        let block = ends.firstIndex { $0 > image } ?? ends.count
        let row = image - (block > 0 ? ends[block - 1] : 0)
        return blocks[block][row..<row + 1].to(features.device)
    }

    /// Returns the tokens of several images, `[n, P + 1, D_v]`, in the order of the indices.
    ///
    /// - Parameter images: the images' indices; at least one.
    public func tokens(of images: [Int]) -> Tensor {
        Tensor.concatenated(images.map { tokens(of: $0) })
    }
}
