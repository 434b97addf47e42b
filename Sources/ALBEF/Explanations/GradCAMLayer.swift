/// The score whose gradient weighs the attention of a heat map.
public enum GradCAMMode: String, Sendable, Hashable, Codable, CaseIterable {
    /// The match logit, by the fusion encoder's attention to the image; see ``GradCAM``.
    case itm
    /// The similarity of the features, by the image encoder's attention; see ``TowerGradCAM``.
    case itc
}

/// A layer whose attention shows where a text is found.
public struct GradCAMLayer: Sendable, Hashable {
    /// The score whose gradient weighs the attention.
    public let mode: GradCAMMode
    /// The layer: of the whole BERT stack by ITM, of the image encoder by ITC; counted from 0.
    public let index: Int
}

extension ALBEFConfiguration {
    /// Returns the layers whose attention shows where a text is found.
    ///
    /// - Returns: the fusion layers by ITM, the image encoder's blocks by ITC; not empty.
    /// - Throws: ``ALBEFError`` if the model has no fusion layer or no ITM head, or if it compares
    ///   images by another state than the class token's.
    public func gradCAMLayers(_ mode: GradCAMMode) throws(ALBEFError) -> Range<Int> {
        switch mode {
        case .itm:
            guard task.matches else { throw .missingHead("itm_head", task) }
            guard text.fusionLayer < text.depth else { throw .layer(nil, of: text) }
            return text.fusionLayer..<text.depth
        case .itc:
            guard task.aligns else { throw .missingHead("vision_proj", task) }
            guard vision.hasClassToken, vision.pooling == .classToken, vision.depth > 0 else {
                throw .noClassToken
            }
            return 0..<vision.depth
        }
    }

    /// Returns a layer whose attention shows where a text is found.
    ///
    /// - Parameters:
    ///   - mode: the score whose gradient weighs the attention.
    ///   - index: the layer; nil for ``Text/explainedLayer`` by ITM, and for the last block by ITC.
    /// - Throws: ``ALBEFError`` if the model has no such layer.
    public func gradCAMLayer(
        _ mode: GradCAMMode, _ index: Int? = nil
    ) throws(ALBEFError) -> GradCAMLayer {
        let layers = try gradCAMLayers(mode)
        let standard = mode == .itm ? text.explainedLayer : nil
        let index = index ?? standard ?? layers.upperBound - 1
        guard layers.contains(index) else {
            throw mode == .itm ? .layer(index, of: text) : .block(index, of: vision)
        }
        return GradCAMLayer(mode: mode, index: index)
    }
}

extension ALBEFConfiguration.Vision {
    /// Returns the number of patches along each side of a heat map.
    ///
    /// - Throws: ``ALBEFError`` if the patches come from several grids.
    package func heatMapSide() throws(ALBEFError) -> Int {
        guard let gridSide else { throw .severalGrids(self) }
        return gridSide
    }
}
