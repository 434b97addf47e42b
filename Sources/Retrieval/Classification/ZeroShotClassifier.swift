public import ALBEF
import Torch

/// Tells images apart by the names of classes alone (Radford et al., 2021, section 3.1).
///
/// Every label is put into templates, such as "a photo of a {}."; the mean of the unit-length
/// features of these texts, brought to unit length again, stands for the class. Only the towers
/// are used, so that a model of any kind that searches can do it.
public struct ZeroShotClassifier: Sendable {
    /// One class and how well an image fits it.
    public struct Score: Sendable, Hashable, Codable {
        /// The name of the class.
        public let label: String
        /// The cosine over the temperature; in SigLIP with its bias.
        public let logit: Float
        /// In SigLIP the probability that the label fits, whatever the others are; in all other
        /// models its share among the labels, which add up to 1.
        public let probability: Float
    }

    /// The classes.
    public let labels: [String]
    /// Whether ``Score/probability`` is one label's own, not a share.
    public let isIndependent: Bool
    private let model: SearchModel
    /// A feature per class, `[C, E]`.
    private let features: Tensor

    /// What a template has in place of the label.
    public static let place = "{}"

    /// The template of a label where none is given: English, or Chinese for a label with ideographs.
    public static func template(for label: String) -> String {
        let ideographs: ClosedRange<Unicode.Scalar> = "\u{3400}"..."\u{9FFF}"
        return label.unicodeScalars.contains(where: ideographs.contains)
            ? "一张{}的照片。" : "a photo of a {}."
    }

    /// Encodes the classes.
    ///
    /// - Parameters:
    ///   - labels: names of classes, at least one.
    ///   - templates: texts with ``place`` in them; nil: ``template(for:)``.
    ///   - model: any model whose towers are aligned.
    /// - Throws: ``QueryError`` if nothing of a text is left; ``ALBEFError`` if the model does not
    ///   compare features; `TorchError` if there is too little memory.
    /// - Complexity: O(c · t) passes of the text encoder for c labels and t templates.
    public init(labels: [String], templates: [String]? = nil, model: SearchModel) throws {
        precondition(!labels.isEmpty, "no labels: check for an empty list first")
        self.labels = labels
        self.model = model
        isIndependent = model.givesPairProbabilities
        features = Tensor.stacked(
            try labels.map { label in
                let texts = (templates ?? [Self.template(for: label)]).map {
                    $0.replacing(Self.place, with: label)
                }
                let encoded = try model.features(of: texts)
                return try recovering { withoutGradients { encoded.mean(0).normalized() } }
            })
    }

    /// Scores images against every class, best first.
    ///
    /// - Parameter images: B encoded images.
    /// - Returns: the scores of each image.
    /// - Throws: ``ALBEFError`` if the model does not compare features; `TorchError` if there is too
    ///   little memory.
    public func callAsFunction(_ images: EncodedImages) throws -> [[Score]] {
        let (logits, shares): ([Float], [Float]) = try recovering {
            try withoutGradients {
                let logits = try model.similarityLogits(features, images.features).transposed()
                let shares = isIndependent ? logits.sigmoid() : logits.softmax(1)
                return (logits.contiguous().values(), shares.contiguous().values())
            }
        }
        return (0..<images.features.size(0)).map { image in
            let scores = labels.indices.map { label in
                let place = image * labels.count + label
                return Score(
                    label: labels[label], logit: logits[place], probability: shares[place])
            }
            return scores.sorted { $0.logit > $1.logit }
        }
    }
}

extension SearchModel {
    /// Whether the model was trained to give each pair a probability by itself, as SigLIP is.
    public var givesPairProbabilities: Bool { featureModel.model.logitBias != nil }

    /// Logits `[N, M]` of texts and images by their features, as the recall model has them.
    func similarityLogits(_ texts: Tensor, _ images: Tensor) throws -> Tensor {
        try featureModel.model.similarityLogits(texts, images)
    }
}
