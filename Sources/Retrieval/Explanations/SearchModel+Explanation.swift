public import ALBEF
public import ImageText
public import SystemPackage
import Torch

extension SearchModel {
    /// Explains how well a text describes an image.
    ///
    /// - Parameters:
    ///   - file: The image file.
    ///   - text: The text, which is cleaned as a caption and cut to the model's length.
    ///   - layer: The layer whose attention to show, counted from 0 over the whole BERT stack; nil
    ///     for the third fusion layer (8 of the paper's 12), or at most the last but one in shallow
    ///     models.
    /// - Throws: `ImageError` that names the file; ``QueryError`` if no token of the text remains;
    ///   `ALBEFError` if the layer does not read images or the model has no ITM head;
    ///   ``ExplanationError`` if that head was not trained; `TorchError` if there is not enough
    ///   memory.
    /// - Complexity: One pass of each tower, and one forward and backward pass of the fusion
    ///   encoder.
    public func explain(
        _ file: FilePath, _ text: String, layer: Int? = nil
    ) throws -> Explanation {
        try explain(try loader.load(file), text, layer: layer)
    }

    /// Explains how well a text describes an image in memory.
    ///
    /// The parameters and errors are those of explaining a file, without `ImageError`.
    public func explain(
        _ image: RGBImage, _ text: String, layer: Int? = nil
    ) throws -> Explanation {
        guard matches else { throw ExplanationError.matching }
        return try explain(try encode(pixels: [pixels(of: image)]), text, layer: layer)
    }

    /// Explains how well a text describes one encoded image, which must have all of its tokens.
    ///
    /// The parameters and errors are those of explaining a file, without `ImageError`.
    public func explain(
        _ image: EncodedImages, _ text: String, layer: Int? = nil
    ) throws -> Explanation {
        guard matches else { throw ExplanationError.matching }
        let query = try encode(texts: [text])
        let found = try recovering {
            try model.gradCAM(query, tokens: image.tokens, layer: layer)
        }
        let maps = HeatMap.rows(of: found.tokens[0])
        guard let sentence = HeatMap.rows(of: found.sentence).first,
            let logits = MatchLogits.rows(of: found.logits).first
        else { throw ExplanationError.matching }
        let ids = self.text.ids(of: text)
        let similarity = query.features[0].matmul(image.features[0]).scalar()
        return Explanation(
            tokens: self.text.tokenizer.tokens(of: ids).map { $0 ?? "[UNK]" },
            tokenMaps: maps, words: words(of: text, maps), sentence: sentence,
            score: PairScore(
                text: text, similarity: Float(similarity), matchLogit: logits.match,
                matchProbability: Float(calibration(logits))),
            logits: logits, layer: found.layer)
    }

    /// Joins tokens into words, without the special tokens around the text.
    private func words(of text: String, _ maps: [HeatMap]) -> [Explanation.Word] {
        let framing = self.text.framing
        let start = framing.start.count
        let end = max(start, maps.count - framing.end.count)
        let all = maps[start..<end].reduce(0) { $0 + $1.total }
        return self.text.words(of: text).compactMap { word in
            let tokens = word.tokens
            return HeatMap.mean(of: maps[tokens]).map { map in
                let heat = maps[tokens].reduce(0) { $0 + $1.total }
                return Explanation.Word(
                    text: word.text, tokens: tokens, map: map, share: all > 0 ? heat / all : 0)
            }
        }
    }
}

extension HeatMap {
    /// Converts a tensor `[N, h, w]` to N maps.
    static func rows(of maps: Tensor) -> [HeatMap] {
        let (height, width) = (maps.size(1), maps.size(2))
        let values: [Float] = maps.values()
        return (0..<maps.size(0)).map { index in
            HeatMap(
                width: width, height: height,
                values: Array(values[index * height * width..<(index + 1) * height * width]))
        }
    }
}
