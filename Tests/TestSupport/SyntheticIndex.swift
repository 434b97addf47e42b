import Foundation
package import ImageText
package import Retrieval
package import SystemPackage
package import Torch

/// Indexes of features that no model made.
package enum SyntheticIndex {
    package static let width = 40

    package static func signature(tokens: Int = 1, tokenWidth: Int = 1) -> ModelSignature {
        ModelSignature(
            fingerprint: "synthetic", imageSize: 16, embeddingWidth: width, tokenCount: tokens,
            tokenWidth: tokenWidth)
    }

    /// Unit vectors `[N, E]` around a few centres, so that there are close calls.
    package static func features(_ count: Int, seed: UInt64) throws -> Tensor {
        let generator = try Generator(seed: seed)
        let centres = Tensor.normal([12, width], generator: generator)
        let choice = Tensor.uniform([count], generator: generator) * 12
        let noise = Tensor.normal([count, width], generator: generator) * 0.3
        return (centres[choice.to(.int64)] + noise).normalized()
    }

    /// Appends entries `first`, `first + 1`, … with features alone.
    package static func append(
        _ features: Tensor, first: Int, to directory: FilePath,
        metadata: (Int) -> [String: MetadataValue] = { _ in [:] },
        about: (Int) -> ImageFacts? = { _ in nil }
    ) throws {
        let entries = (first..<first + features.size(0)).map { number in
            let digits = String(number, radix: 16)
            return IndexEntry(
                path: FilePath("/images/\(number).jpg"), size: number, modified: 0,
                sha256: String(repeating: "0", count: 64 - digits.count) + digits,
                about: about(number), metadata: metadata(number))
        }
        try ForwardIndex.append(
            entries, features: features, tokens: nil, to: directory, model: signature(),
            budget: TokenBudget(count: 0))
    }
}
