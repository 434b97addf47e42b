package import ALBEF

/// A part of the model that can have its own learning rate or be frozen.
public enum ModelPart: String, Sendable, Hashable, Codable, CaseIterable {
    /// The image encoder.
    case image
    /// The text encoder: the embeddings and the layers that read the text alone.
    case text
    /// The fusion encoder: the layers that read the text with the image.
    case fusion
    /// The projections, the temperature, and the heads of ITM and MLM.
    case heads

    /// The name of the part in words.
    var words: String {
        switch self {
        case .image: "image encoder"
        case .text: "text encoder"
        case .fusion: "fusion encoder"
        case .heads: "heads"
        }
    }
}

/// The place of a parameter in the model, derived from its name.
package struct ParameterPlace: Sendable, Hashable {
    /// A section of a part.
    package enum Section: Sendable, Hashable {
        /// The layers below the first block: patch or word embeddings, and positions.
        case embeddings
        /// A block, counted from 0 within the part.
        case block(Int)
        /// A stage of the image encoder's convolutional trunk, counted from 0; the first includes
        /// the stem.
        case trunkStage(Int)
        /// Any other section, such as the last norm or a head.
        case other(String)
    }

    /// The part that contains the parameter.
    package let part: ModelPart
    /// The section within the part.
    package let section: Section

    /// The place as settings name it, such as `image.embeddings`, `image.trunk.0`, `text.3` or
    /// `heads.matching`.
    package var address: String {
        let name =
            switch section {
            case .embeddings: "embeddings"
            case .block(let index): "\(index)"
            case .trunkStage(let index): "trunk.\(index)"
            case .other(let name): name
            }
        return "\(part.rawValue).\(name)"
    }

    /// Determines the place of a parameter.
    ///
    /// - Parameters:
    ///   - name: The name of the parameter in the original implementation.
    ///   - text: The text configuration, which separates the layers of the text encoder from those
    ///     of the fusion encoder.
    package init(_ name: String, _ text: ALBEFConfiguration.Text) {
        let words = name.split(separator: ".").map(String.init)
        func word(_ index: Int) -> String { index < words.count ? words[index] : "" }
        switch word(0) {
        case "visual_encoder":
            part = .image
            section =
                word(1) == "trunk"
                ? Self.trunkSection(word(2), index: Int(word(3)))
                : Self.imageSection(word(1), index: Int(word(2)))
        case "text_encoder" where word(1) == "bert":
            switch (word(2), Int(word(4))) {
            case ("embeddings", _): (part, section) = (.text, .embeddings)
            case ("encoder", let layer?):
                // Layers that read texts both with and without an image belong to the text encoder.
                let isFusion =
                    layer >= text.fusionLayer && (!text.sharesLayers || word(5) == "crossattention")
                part = isFusion ? .fusion : .text
                section = .block(isFusion ? layer - text.fusionLayer : layer)
            default: (part, section) = (.text, .other(word(2)))
            }
        case "text_encoder": (part, section) = (.heads, .other("words"))
        case "vision_proj", "text_proj": (part, section) = (.heads, .other("projections"))
        case "itm_head": (part, section) = (.heads, .other("matching"))
        case "temp", "logit_bias": (part, section) = (.heads, .other("temperature"))
        default: (part, section) = (.heads, .other(word(0)))
        }
    }

    private static func trunkSection(_ word: String, index: Int?) -> Section {
        switch (word, index) {
        case ("blocks", let index?): .trunkStage(index)
        case ("conv_stem", _): .trunkStage(0)
        case ("conv_head", _): .other("trunk.head")
        default: .other("trunk")
        }
    }

    private static func imageSection(_ word: String, index: Int?) -> Section {
        switch (word, index) {
        case ("blocks", let index?): .block(index)
        case ("cls_token", _), ("pos_embed", _), ("patch_embed", _), ("norm_pre", _): .embeddings
        case ("attn_pool", _): .other("pool")
        default: .other(word)
        }
    }
}

extension ParameterPlace {
    /// Returns how far a place lies below the end of its stack, for ``LayerDecay``: 0 after the
    /// last block, 1 for the last block, and one more than the number of blocks for the embeddings.
    ///
    /// The text and fusion encoders form one stack. A convolutional trunk lies below the blocks.
    package func height(below configuration: ALBEFConfiguration) -> Int {
        let depth = part == .image ? configuration.vision.depth : configuration.text.depth
        switch (part, section) {
        case (.heads, _): return 0
        case (_, .embeddings), (_, .trunkStage), (.image, .other("trunk")),
            (.image, .other("trunk.head")):
            return depth + 1
        case (.fusion, .block(let index)): return depth - configuration.text.fusionLayer - index
        case (_, .block(let index)): return depth - index
        case (_, .other): return 0
        }
    }
}
