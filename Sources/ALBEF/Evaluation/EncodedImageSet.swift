public import Torch

/// The encoded images of a gallery, their tokens block by block, wherever the blocks are kept.
///
/// The tokens of a few thousand images are gigabytes: at 384 pixels 1.8 MB an image. Blocks may
/// therefore be tensors over mapped files, of which only what is read is in memory.
public struct EncodedImageSet: Sendable {
    /// Unit-length features `[I, E]`.
    public let features: Tensor
    private let blocks: [Tensor]
    private let ends: [Int]

    /// Puts a gallery together.
    ///
    /// - Parameters:
    ///   - tokens: blocks `[n, P + 1, D_v]` of I images in all, in the order of `features`.
    ///   - features: unit-length features `[I, E]`.
    public init(tokens: [Tensor], features: Tensor) {
        self.features = features
        blocks = tokens
        var end = 0
        ends = tokens.map { block in
            end += block.size(0)
            return end
        }
        precondition(end == features.size(0), "\(end) tokens for \(features.size(0)) features")
    }

    /// A gallery of one block.
    public init(_ images: EncodedImages) {
        self.init(tokens: [images.tokens], features: images.features)
    }

    /// The tokens of an image, `[1, P + 1, D_v]`.
    public func tokens(of image: Int) -> Tensor {
        let block = ends.firstIndex { $0 > image } ?? ends.count
        let row = image - (block > 0 ? ends[block - 1] : 0)
        return blocks[block][row..<row + 1].to(features.device)
    }

    /// The tokens of some images, `[n, P + 1, D_v]`.
    public func tokens(of images: [Int]) -> Tensor {
        Tensor.concatenated(images.map { tokens(of: $0) })
    }
}
