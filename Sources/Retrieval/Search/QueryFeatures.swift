import Torch

/// How much the parts of a query weigh in the feature that recall compares.
///
/// The sentence and the images together weigh 1 each: three images do not outvote a sentence. What
/// is to be left out is subtracted with less than that, so that a query never turns into its
/// opposite, and what is searched for still decides.
///
/// Documentation/search.md has what these were measured on.
enum PartWeights {
    /// Of the texts to leave out together.
    static let without = 0.75
    /// Of the images to be unlike together, beside images.
    static let unlike = 0.5
    /// Of the images to be unlike together, beside a sentence alone: images differ more in how near
    /// they are to an image than to a sentence, which would be drowned out.
    static let unlikeOfText = 0.25
}

/// The unit-length features `[E]` of a query's parts.
struct QueryFeatures {
    let text: Tensor?
    let images: [Tensor]
    let without: [Tensor]
    let unlike: [Tensor]
    /// Of words, with the weights that they are to have.
    let emphasis: [(feature: Tensor, weight: Double)]

    /// What is searched for, without emphasis: the direction of the sentence plus that of the images.
    ///
    /// - Throws: ``QueryError`` if there is neither.
    func positive() throws -> Tensor { try positive(text) }

    /// The unit-length feature `[E]` that recall compares.
    ///
    /// To the sentence every emphasised word of weight k adds (k - 1) times its own feature. The
    /// directions of what is to be left out are subtracted with ``PartWeights``.
    ///
    /// - Throws: ``QueryError`` if there is neither a sentence nor an image.
    func recalled() throws -> Tensor {
        var feature = try positive(emphasised)
        guard !without.isEmpty || !unlike.isEmpty else { return feature }
        if let texts = Self.direction(without) { feature = feature - texts * PartWeights.without }
        if let unlike = Self.direction(unlike) {
            feature =
                feature - unlike
                * (images.isEmpty ? PartWeights.unlikeOfText : PartWeights.unlike)
        }
        return feature.normalized()
    }

    private var emphasised: Tensor? {
        guard let text, !emphasis.isEmpty else { return text }
        return emphasis.reduce(text) { $0 + $1.feature * ($1.weight - 1) }.normalized()
    }

    private func positive(_ text: Tensor?) throws -> Tensor {
        switch (text, Self.direction(images)) {
        case (let text?, let image?): (image + text).normalized()
        case (let one?, nil), (nil, let one?): one
        case (nil, nil): throw QueryError.empty("")
        }
    }

    /// The unit-length direction of the mean of features; nil without any.
    private static func direction(_ features: [Tensor]) -> Tensor? {
        guard let first = features.first, features.count > 1 else { return features.first }
        return features.dropFirst().reduce(first, +).normalized()
    }
}
