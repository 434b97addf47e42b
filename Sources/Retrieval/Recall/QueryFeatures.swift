import Torch

/// The weights of a query's parts in the feature that recall compares.
///
/// The sentence has the weight 1, and so do all images together: three images do not outvote a
/// sentence. Excluded parts are subtracted with smaller weights, so that a query never turns into
/// its opposite and the positive parts still decide.
///
/// Documentation/search.md describes the measurements behind these weights.
enum PartWeights {
    /// The weight of all excluded texts together.
    static let without = 0.75
    /// The weight of all excluded images together in a query with images.
    static let unlike = 0.5
    /// The weight of all excluded images together in a query with only a sentence.
    ///
    /// Similarities between images vary more than those between images and sentences, so a larger
    /// weight would drown out the sentence.
    static let unlikeOfText = 0.25
}

/// The unit-length features `[E]` of a query's parts.
struct QueryFeatures {
    let text: Tensor?
    let images: [Tensor]
    let without: [Tensor]
    let unlike: [Tensor]
    /// The features of emphasised words with their weights.
    let emphasis: [(feature: Tensor, weight: Double)]

    /// Returns the direction of the sentence plus that of the images, without emphasis.
    ///
    /// - Throws: ``QueryError`` if there is neither.
    func positive() throws -> Tensor { try positive(text) }

    /// Returns the unit-length feature `[E]` that recall compares.
    ///
    /// Every emphasised word of weight k adds (k - 1) times its feature to the sentence. The
    /// directions of excluded parts are subtracted with `PartWeights`.
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

    /// Returns the unit-length direction of the mean of features, or nil if there are none.
    private static func direction(_ features: [Tensor]) -> Tensor? {
        guard let first = features.first, features.count > 1 else { return features.first }
        return features.dropFirst().reduce(first, +).normalized()
    }
}
