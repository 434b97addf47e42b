import ALBEF
import ImageText
import Torch

/// Computes the heat maps of the texts of some images that were read.
struct HeatMapper {
    /// A text and the row of its image.
    struct Pair {
        let image: Int
        let text: Int
    }

    /// A heat map of one text.
    struct Found {
        /// The index of the text in the data set.
        let index: Int
        let layer: GradCAMLayer
        /// The heat of each patch, row by row.
        let map: [Float]
    }

    /// The pairs of a forward and backward pass through all layers of a mode.
    let passes: [(mode: GradCAMMode, pairs: [Pair])]

    private let model: ALBEFModel
    private let encoder: EvaluationEncoder
    private let items: [GroundingItem]
    private let layers: [GradCAMLayer]
    /// The pixels of the images, `[N, 3, S, S]`.
    private let pixels: Tensor
    /// Their tokens, `[N, P + 1, D_v]`; nil if no layer reads them.
    private let tokens: Tensor?
    /// The patches along one side.
    private let side: Int

    /// Encodes images.
    ///
    /// - Parameters:
    ///   - prepared: The pixels of the images, at least one.
    ///   - images: The images in the same order, with the indices of their texts.
    ///   - items: All texts of the data set.
    ///   - layers: The layers whose heat maps are wanted.
    /// - Throws: `ALBEFError` if the model lacks a layer or has several grids of patches;
    ///   `TorchError` if there is not enough memory.
    init(
        _ model: ALBEFModel, _ encoder: EvaluationEncoder,
        _ prepared: [EvaluationEncoder.Prepared], _ images: [ImageTexts],
        _ items: [GroundingItem], layers: [GradCAMLayer]
    ) throws {
        self.model = model
        self.encoder = encoder
        self.items = items
        self.layers = layers
        let configuration = model.configuration
        for layer in layers { _ = try configuration.gradCAMLayer(layer.mode, layer.index) }
        side = try configuration.vision.heatMapSide()
        let size = encoder.preprocessing.image.side
        let device = model.device
        pixels = try recovering {
            Tensor(
                prepared.flatMap(\.pixels), shape: [prepared.count, 3, size, size], device: device)
        }
        tokens =
            layers.contains { $0.mode == .itm } ? try encoder.images(prepared, model).tokens : nil
        let pairs = images.enumerated().flatMap { row, image in
            image.texts.map { Pair(image: row, text: $0) }
        }
        passes = GradCAMMode.allCases.flatMap { mode in
            let wanted = layers.filter { $0.mode == mode }.map(\.index)
            guard let lowest = wanted.min() else { return [(GradCAMMode, [Pair])]() }
            let count = Self.pairsAtOnce(mode, lowest: lowest, configuration)
            return stride(from: 0, to: pairs.count, by: count).map {
                (mode, Array(pairs[$0..<min($0 + count, pairs.count)]))
            }
        }
    }

    /// Returns the number of texts in a pass, so that a model of the paper's size takes about half a
    /// gigabyte.
    ///
    /// A pass of the fusion encoder keeps the keys and values of an image for each text; one of the
    /// image encoder keeps the states of all patches in every block from the lowest layer. In the
    /// last block alone, the class token's state suffices.
    private static func pairsAtOnce(
        _ mode: GradCAMMode, lowest: Int, _ configuration: ALBEFConfiguration
    ) -> Int {
        let most = 16
        return switch mode {
        case .itm: most
        case .itc: max(1, most / max(1, configuration.vision.depth - lowest))
        }
    }

    /// Returns the place of a text's heat map on its image.
    func placement(of item: GroundingItem) -> HeatPlacement {
        HeatPlacement(
            mapWidth: side, mapHeight: side, imageWidth: item.imageWidth,
            imageHeight: item.imageHeight, fit: model.configuration.vision.fit)
    }

    /// Returns the heat maps of some texts by all layers of a mode.
    ///
    /// - Throws: `TorchError` if there is not enough memory; the errors of the model.
    func maps(of pairs: [Pair], by mode: GradCAMMode) throws -> [Found] {
        let texts = try encoder.texts(pairs.map { items[$0.text].text }, model)
        let rows = Array(Set(pairs.map(\.image))).sorted()
        let places = pairs.map { pair in rows.firstIndex(of: pair.image) ?? 0 }
        let wanted = layers.filter { $0.mode == mode }
        let indices = wanted.map(\.index)
        let selection = Tensor(rows, device: model.device)
        let maps: [Tensor] = try recovering {
            switch mode {
            case .itm:
                guard let tokens else { return [] }
                return try model.gradCAM(
                    texts, tokens: tokens[selection], images: places, layers: indices
                ).map(\.sentence)
            case .itc:
                return try model.gradCAM(
                    ofSimilarityTo: texts.features, pixels: pixels[selection], images: places,
                    blocks: indices
                ).map(\.maps)
            }
        }
        return zip(wanted, maps).flatMap { layer, maps in
            let values: [Float] = maps.values()
            let count = side * side
            return pairs.enumerated().map { index, pair in
                Found(
                    index: pair.text, layer: layer,
                    map: Array(values[index * count..<(index + 1) * count]))
            }
        }
    }
}
