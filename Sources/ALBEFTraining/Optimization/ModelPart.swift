package import ALBEF

/// A part of the model that can have a learning rate of its own, or stay as it is.
public enum ModelPart: String, Sendable, Hashable, Codable, CaseIterable {
    /// The image encoder.
    case image
    /// The text encoder: the embeddings and the layers that read the text alone.
    case text
    /// The fusion encoder: the layers that read the text with the image.
    case fusion
    /// The projections, the temperature, and the heads of ITM and MLM.
    case heads

    /// The part in words.
    var words: String {
        switch self {
        case .image: "image encoder"
        case .text: "text encoder"
        case .fusion: "fusion encoder"
        case .heads: "heads"
        }
    }
}

/// Where in the model a parameter is, told by its name.
package struct ParameterPlace: Sendable, Hashable {
    /// What of a part it is.
    package enum Section: Sendable, Hashable {
        /// What lies below the first block: patches or words, and positions.
        case embeddings
        /// A block, counted from 0 within the part.
        case block(Int)
        /// A stage of the image encoder's convolutional trunk, counted from 0; the first one has the
        /// stem, too.
        case trunkStage(Int)
        /// Anything else, such as the last norm or a head.
        case other(String)
    }

    /// The part.
    package let part: ModelPart
    /// What of it.
    package let section: Section

    /// The place as settings name it: `image.embeddings`, `image.trunk.0`, `text.3`,
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

    /// Finds the place of a parameter.
    ///
    /// - Parameters:
    ///   - name: its name in the original implementation.
    ///   - text: tells the layers of the fusion encoder from those of the text encoder.
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
                // Layers that read texts with and without an image are the text encoder's.
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
    /// What a block lies below the end of its stack, for ``LayerDecay``: 0 for what comes after the
    /// last block, 1 for the last block, and one more than there are blocks for the embeddings.
    ///
    /// The text and fusion encoders are one stack. A convolutional trunk lies below the blocks.
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
