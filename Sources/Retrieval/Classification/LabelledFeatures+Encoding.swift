public import ImageText
import Torch

extension LabelledFeatures {
    /// Encodes the images of a data set.
    ///
    /// - Parameters:
    ///   - dataset: The images and their classes.
    ///   - labels: The names of the classes. Images of other classes are left out.
    ///   - extractor: Encodes images to vectors of one dimension: ``FeatureKind/image`` or
    ///     ``FeatureKind/aligned``.
    ///   - skip: Receives each image that cannot be read, and the reason.
    ///   - progress: Called with the number of images done.
    /// - Throws: ``FeatureExportError`` if no image can be read; the errors of `skip` and of
    ///   ``FeatureExtractor/images(_:skip:rows:)``.
    /// - Complexity: O(n) passes of the image encoder for n images; memory holds their vectors.
    public init(
        encoding dataset: LabelledDataset, labels: [String], by extractor: FeatureExtractor,
        skip: (LabelledImage, ImageError) throws -> Void = { _, _ in },
        progress: (Int) -> Void = { _ in }
    ) async throws {
        let numbers = Dictionary(
            labels.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
        let images = dataset.images.filter { numbers[$0.label] != nil }
        var (parts, classes) = ([Tensor](), [Int]())
        try await extractor.images(images.map(\.path)) { index, error in
            try skip(images[index], error)
        } rows: { rows, indices in
            parts.append(rows)
            classes += indices.compactMap { numbers[images[$0].label] }
            progress((indices.last ?? 0) + 1)
        }
        guard !parts.isEmpty else { throw FeatureExportError.nothing }
        self.init(features: Tensor.concatenated(parts), classes: classes, labels: labels)
    }
}
