public import ALBEF
public import ImageText
public import SystemPackage
import Torch

/// The place in an image to which a text refers, as a heat map of a model that learned no boxes.
public struct Localization: Sendable, Hashable {
    /// The text.
    public let text: String
    /// The heat of each patch; see `GradCAM` and `TowerGradCAM`.
    public let map: HeatMap
    /// The place of the map on the image.
    public let placement: HeatPlacement
    /// The layer whose attention the map shows.
    public let layer: GradCAMLayer
    /// The cosine of the features, from -1 to 1.
    public let similarity: Float
    /// The model's probability that the text describes the image; nil by ITC, which does not ask the
    /// fusion encoder.
    public let matchProbability: Float?

    /// Returns the box with the most heat for its size; see `BoxHeat`.
    ///
    /// - Parameter boxes: Boxes in pixels of the image, such as those of a detector.
    /// - Returns: nil if no box scores above 0.
    public func choice(of boxes: [BoundingBox]) -> BoxChoice? {
        BoxHeat(placement).choice(of: boxes, by: map.values)
    }

    /// The hottest point and an estimate of the box around it; nil if the map has no heat.
    public var peak: HeatPeak? { HeatPeak(of: map.values, placement) }
}

extension SearchModel {
    /// Finds the place in an image to which a text refers.
    ///
    /// A text that does not describe the image has a map too; read the probability first. The model
    /// that recalls for this one is not asked.
    ///
    /// - Parameters:
    ///   - file: The image file.
    ///   - text: The text, which is cleaned as a caption and cut to the model's length.
    ///   - mode: The score whose gradient weighs the attention. Default: ITM.
    ///   - layer: The layer whose attention to show: by ITM counted over the whole BERT stack, with
    ///     the default of ``explain(_:_:layer:)-(FilePath,_,_)``; by ITC a block of the image
    ///     encoder, with the last by default.
    /// - Throws: `ImageError` that names the file; ``QueryError`` if no token of the text remains or
    ///   the map is not finite; `ALBEFError` if the model has no such layer or not what the mode
    ///   needs; ``ExplanationError`` by ITM if its ITM head was not trained; `TorchError` if there
    ///   is not enough memory.
    /// - Complexity: One pass of each tower, and one forward and backward pass of the fusion encoder
    ///   by ITM, or of the image encoder's blocks from the given one by ITC.
    public func locate(
        _ file: FilePath, _ text: String, by mode: GradCAMMode = .itm, layer: Int? = nil
    ) throws -> Localization {
        let bytes = try ImageLoader.bytes(of: file)
        // The loader may decode at a reduced size, but boxes are in pixels of the file.
        let facts = ImageFacts(of: bytes)
        let image = try loader.load(bytes, named: file.description)
        return try locate(
            image, width: facts.width ?? image.width, height: facts.height ?? image.height, text,
            by: mode, layer: layer)
    }

    /// Finds the place in an image in memory to which a text refers.
    ///
    /// The parameters and errors are those of a file, without `ImageError`.
    public func locate(
        _ image: RGBImage, _ text: String, by mode: GradCAMMode = .itm, layer: Int? = nil
    ) throws -> Localization {
        try locate(
            image, width: image.width, height: image.height, text, by: mode, layer: layer)
    }

    /// Finds the place in an image that was decoded at a reduced size.
    ///
    /// - Parameters:
    ///   - image: The decoded image.
    ///   - width: The width of the whole image in pixels.
    ///   - height: The height of the whole image in pixels.
    ///   - text: The text.
    ///   - mode: As for a file.
    ///   - layer: As for a file.
    /// - Throws: The errors for a file, without `ImageError`.
    package func locate(
        _ image: RGBImage, width: Int, height: Int, _ text: String, by mode: GradCAMMode = .itm,
        layer: Int? = nil
    ) throws -> Localization {
        guard mode != .itm || matches else { throw ExplanationError.matching }
        let layer = try model.configuration.gradCAMLayer(mode, layer)
        try check(text)
        let texts = try reader.encode(texts: [text])
        let pixels = reader.transform(image)
        let (maps, similarity, logits): (Tensor, Double, MatchLogits?)
        switch mode {
        case .itm:
            let encoded = try reader.encode(pixels: [pixels])
            let found = try recovering {
                try model.gradCAM(texts, tokens: encoded.tokens, layer: layer.index)
            }
            maps = found.sentence
            similarity = texts.features[0].matmul(encoded.features[0]).scalar()
            logits = MatchLogits.rows(of: found.logits).first
        case .itc:
            let side = reader.transform.side
            let found = try recovering {
                try model.gradCAM(
                    ofSimilarityTo: texts.features,
                    pixels: Tensor(pixels, shape: [1, 3, side, side], device: model.device),
                    blocks: [layer.index])
            }
            maps = found[0].maps
            similarity = found[0].similarities[0].scalar()
            logits = nil
        }
        let values: [Float] = maps.values()
        guard values.allSatisfy(\.isFinite), similarity.isFinite,
            let map = HeatMap.rows(of: maps).first
        else { throw QueryError.notFinite("a heat map") }
        return Localization(
            text: text, map: map,
            placement: HeatPlacement(
                mapWidth: map.width, mapHeight: map.height, imageWidth: width, imageHeight: height,
                fit: model.configuration.vision.fit),
            layer: layer, similarity: Float(similarity),
            matchProbability: logits.map { Float(calibration($0)) })
    }
}
