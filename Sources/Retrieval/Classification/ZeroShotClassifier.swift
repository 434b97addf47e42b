public import ALBEF
import Torch

/// Classifies images by the names of classes alone (Radford et al., 2021, section 3.1).
///
/// Every label is inserted into templates, such as "a photo of a {}." The features of these texts
/// have unit length; their mean, normalized again, represents the class. Classification uses only
/// the towers, so every model that can search can also classify.
public struct ZeroShotClassifier: Sendable {
    /// A class with the score of an image.
    public struct Score: Sendable, Hashable, Codable {
        /// The name of the class.
        public let label: String
        /// The cosine similarity divided by the temperature; for SigLIP, plus its bias.
        public let logit: Float
        /// For SigLIP, the probability that the label fits, independent of the other labels; for
        /// all other models, the label's share, and all shares add up to 1.
        public let probability: Float
    }

    /// The names of the classes.
    public let labels: [String]
    /// Whether ``Score/probability`` is independent of the other labels, rather than a share.
    public let isIndependent: Bool
    private let model: SearchModel
    /// The features of the classes, `[C, E]`.
    private let features: Tensor

    /// The placeholder for the label in a template.
    public static let place = "{}"

    /// Returns the default template of a label: Chinese if the label contains ideographs, otherwise
    /// English.
    public static func template(for label: String) -> String {
        let ideographs: ClosedRange<Unicode.Scalar> = "\u{3400}"..."\u{9FFF}"
        return label.unicodeScalars.contains(where: ideographs.contains)
            ? "一张{}的照片。" : "a photo of a {}."
    }

    /// Encodes the classes.
    ///
    /// - Parameters:
    ///   - labels: The names of the classes, at least one.
    ///   - templates: Texts that contain ``place``; nil for the template that ``template(for:)``
    ///     returns.
    ///   - model: A model with aligned towers.
    /// - Throws: ``QueryError`` if no token of a text remains; `ALBEFError` if the model does not
    ///   compare features; `TorchError` if there is not enough memory.
    /// - Complexity: O(c · t) passes of the text encoder for c labels and t templates.
    public init(labels: [String], templates: [String]? = nil, model: SearchModel) throws {
        precondition(!labels.isEmpty, "labels must contain at least one class")
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

    /// Scores images against every class.
    ///
    /// - Parameter images: B encoded images.
    /// - Returns: The scores of each image, best class first, `[B][C]`.
    /// - Throws: `ALBEFError` if the model does not compare features; `TorchError` if there is not
    ///   enough memory.
    /// - Complexity: O(B · C · (E + log C)).
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
    /// Whether the model was trained to predict an independent probability for each pair, as SigLIP
    /// is.
    public var givesPairProbabilities: Bool { featureModel.model.logitBias != nil }

    /// Returns the recall model's logits `[N, M]` of texts and images from their features.
    func similarityLogits(_ texts: Tensor, _ images: Tensor) throws -> Tensor {
        try featureModel.model.similarityLogits(texts, images)
    }
}
