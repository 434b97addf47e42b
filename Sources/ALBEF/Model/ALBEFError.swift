/// An error of building a model, or of asking it for something that it cannot do.
public struct ALBEFError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case configuration, missingHead, imageShape, textShape, textLength, pairs, pairedFusion,
            singlePair, layer, severalGrids
    }

    private let code: Code
    /// The problem, in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func configuration(_ field: String, _ reason: String) -> ALBEFError {
        ALBEFError(.configuration, "configuration: \(field) \(reason)")
    }

    package static func missingHead(_ name: String, _ task: ALBEFConfiguration.Task) -> ALBEFError {
        ALBEFError(
            .missingHead,
            "this model was trained for \(task.rawValue) and has no '\(name)': search needs a"
                + " pretraining, retrieval or grounding model")
    }

    static func imageShape(found: [Int], expected: Int) -> ALBEFError {
        ALBEFError(
            .imageShape,
            "images have the shape \(found), but the model requires"
                + " [B, 3, \(expected), \(expected)]")
    }

    static func textShape(ids: [Int], mask: [Int]) -> ALBEFError {
        ALBEFError(.textShape, "token ids \(ids) and mask \(mask) must both be [B, L]")
    }

    static func textLength(found: Int, limit: Int) -> ALBEFError {
        ALBEFError(
            .textLength,
            "a text has \(found) tokens, but the model has only \(limit) positions; shorten it")
    }

    static func pairs(texts: [Int], tokens: [Int]) -> ALBEFError {
        ALBEFError(
            .pairs, "texts of shape \(texts) and image tokens of shape \(tokens) do not match")
    }

    static func layer(_ layer: Int?, of text: ALBEFConfiguration.Text) -> ALBEFError {
        let fusion = text.fusionLayer..<text.depth
        guard let layer, !fusion.isEmpty else {
            return ALBEFError(.layer, "this model has no fusion layer, whose attention is needed")
        }
        return ALBEFError(
            .layer,
            "layer \(layer) does not read the image: the fusion layers are \(fusion.lowerBound)"
                + " to \(fusion.upperBound - 1)")
    }

    static func severalGrids(_ vision: ALBEFConfiguration.Vision) -> ALBEFError {
        let grids = vision.trunk?.poolingGrids.map { "\($0) x \($0)" } ?? []
        return ALBEFError(
            .severalGrids,
            "a heat map needs one grid of patches, but this model pools its images over the grids"
                + " \(grids.joined(separator: ", "))")
    }

    static let singlePair = ALBEFError(
        .singlePair, "a batch of one pair has no negatives to learn from: use at least two")

    static let pairedFusion = ALBEFError(
        .pairedFusion,
        "this model's fusion encoder reads two images at once (NLVR2); it can be imported but not"
            + " used for search")
}
