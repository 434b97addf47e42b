/// An error of building a model, or of asking it for something that it cannot do.
public struct ALBEFError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case configuration, missingHead, imageShape, textShape, textLength, pairs, images,
            batch, answer, start, singlePair, layer, severalGrids
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
            "this model was trained for \(task.rawValue) and has no '\(name)': \(needs(name))")
    }

    private static func needs(_ name: String) -> String {
        switch name {
        case "cls_head": "classification needs an entailment or nlvr model"
        case "text_decoder": "answers need a vqa model"
        case "ta_head": "text assignment needs a text_assignment model"
        default: "search needs a pretraining, retrieval or grounding model"
        }
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

    static func block(_ block: Int, of vision: ALBEFConfiguration.Vision) -> ALBEFError {
        ALBEFError(
            .layer,
            "the image encoder has no block \(block): its blocks are 0 to \(vision.depth - 1)")
    }

    static let noClassToken = ALBEFError(
        .layer,
        "a heat map of the similarity (itc) needs the attention of a class token, but this model"
            + " compares images by the mean of their patches or by a pooling layer; use the match"
            + " (itm)")

    static func severalGrids(_ vision: ALBEFConfiguration.Vision) -> ALBEFError {
        let grids = vision.trunk?.poolingGrids.map { "\($0) x \($0)" } ?? []
        return ALBEFError(
            .severalGrids,
            "a heat map needs one grid of patches, but this model pools its images over the grids"
                + " \(grids.joined(separator: ", "))")
    }

    static let noFusion = ALBEFError(
        .layer, "this model has no fusion layer, which would read a text with an image")

    static let singlePair = ALBEFError(
        .singlePair, "a batch of one pair has no negatives to learn from: use at least two")

    static func images(found: Int, expected: Int, _ task: ALBEFConfiguration.Task) -> ALBEFError {
        ALBEFError(
            .images,
            "a model for \(task.rawValue) reads \(expected) image\(expected == 1 ? "" : "s") per"
                + " text, not \(found)")
    }

    static func batch(_ field: String, found: [Int], expected: String) -> ALBEFError {
        ALBEFError(.batch, "the batch's \(field) have the shape \(found), but must be \(expected)")
    }

    static func answer(_ problem: String) -> ALBEFError { ALBEFError(.answer, problem) }

    static func start(
        _ task: ALBEFConfiguration.Task, from other: ALBEFConfiguration.Task
    ) -> ALBEFError {
        ALBEFError(
            .start,
            "a model for \(task.rawValue) cannot start from one for \(other.rawValue); it starts from"
                + " a pretraining, retrieval or grounding model, or from one for its own task")
    }

    static let fewImages = ALBEFError(
        .batch, "text assignment chooses two other images: use batches of at least three")
}
