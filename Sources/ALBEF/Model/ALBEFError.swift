/// A model that cannot be built, or was asked for what it cannot do.
public struct ALBEFError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case configuration, missingHead, imageShape, textShape, textLength, pairs, pairedFusion,
            singlePair, layer
    }

    private let code: Code
    /// What is wrong, in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func configuration(_ field: String, _ reason: String) -> ALBEFError {
        ALBEFError(.configuration, "configuration: \(field) \(reason)")
    }

    static func missingHead(_ name: String, _ task: ALBEFConfiguration.Task) -> ALBEFError {
        ALBEFError(
            .missingHead,
            "this model was trained for \(task.rawValue) and has no '\(name)': search needs a"
                + " pretraining, retrieval or grounding model")
    }

    static func imageShape(found: [Int], expected: Int) -> ALBEFError {
        ALBEFError(
            .imageShape,
            "images of shape \(found) where the model takes [B, 3, \(expected), \(expected)]")
    }

    static func textShape(ids: [Int], mask: [Int]) -> ALBEFError {
        ALBEFError(.textShape, "token ids \(ids) and mask \(mask) must both be [B, L]")
    }

    static func textLength(found: Int, limit: Int) -> ALBEFError {
        ALBEFError(
            .textLength, "a text of \(found) tokens where the model has \(limit) positions")
    }

    static func pairs(texts: [Int], tokens: [Int]) -> ALBEFError {
        ALBEFError(.pairs, "texts \(texts) and image tokens \(tokens) do not pair up")
    }

    static func layer(_ layer: Int?, of text: ALBEFConfiguration.Text) -> ALBEFError {
        let fusion = text.fusionLayer..<text.depth
        guard let layer, !fusion.isEmpty else {
            return ALBEFError(.layer, "this model has no fusion layer whose attention can be shown")
        }
        return ALBEFError(
            .layer,
            "layer \(layer) does not read the image: the fusion layers are \(fusion.lowerBound)"
                + " to \(fusion.upperBound - 1)")
    }

    static let singlePair = ALBEFError(
        .singlePair, "a batch of one pair has no negatives to learn from: use at least two")

    static let pairedFusion = ALBEFError(
        .pairedFusion,
        "this model's fusion encoder reads two images at once (NLVR2); it can be imported but not"
            + " used for search")
}

extension ALBEFConfiguration {
    /// Checks that the sizes fit each other.
    ///
    /// - Throws: ``ALBEFError`` that names the first field that does not fit.
    public func validate() throws(ALBEFError) {
        let positive = [
            ("vision.image_size", vision.imageSize), ("vision.patch_size", vision.patchSize),
            ("vision.width", vision.width), ("vision.depth", vision.depth),
            ("vision.heads", vision.heads), ("vision.mlp_width", vision.mlpWidth),
            ("text.vocabulary_size", text.vocabularySize), ("text.width", text.width),
            ("text.depth", text.depth), ("text.heads", text.heads),
            ("text.mlp_width", text.mlpWidth), ("text.positions", text.positions),
            ("text.maximum_tokens", text.maximumTokens), ("embedding_width", embeddingWidth),
        ]
        for (name, value) in positive where value <= 0 {
            throw .configuration(name, "must be positive, not \(value)")
        }
        guard vision.imageSize % vision.patchSize == 0 else {
            throw .configuration(
                "vision.image_size",
                "\(vision.imageSize) is no multiple of the patch size \(vision.patchSize)")
        }
        guard vision.width % vision.heads == 0 else {
            throw .configuration(
                "vision.heads", "\(vision.heads) does not divide the width \(vision.width)")
        }
        guard text.width % text.heads == 0 else {
            throw .configuration(
                "text.heads", "\(text.heads) does not divide the width \(text.width)")
        }
        guard (0...text.depth).contains(text.fusionLayer) else {
            throw .configuration(
                "text.fusion_layer", "\(text.fusionLayer) is not within 0...\(text.depth)")
        }
        guard text.maximumTokens <= text.positions else {
            throw .configuration(
                "text.maximum_tokens",
                "\(text.maximumTokens) is more than the \(text.positions) positions")
        }
        guard vision.mean.count == 3, vision.standardDeviation.count == 3 else {
            throw .configuration("vision.mean", "and standard_deviation need three channels each")
        }
    }
}
