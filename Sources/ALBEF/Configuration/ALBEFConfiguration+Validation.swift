extension ALBEFConfiguration {
    /// Checks that all numbers are in range and that the sizes are consistent.
    ///
    /// The limits exceed any practical model; within them no product of sizes overflows.
    ///
    /// - Throws: ``ALBEFError``, which names the first invalid field.
    public func validate() throws(ALBEFError) {
        try checkSizes()
        try checkNumbers()
        try checkSwitches()
        try checkPatches()
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
    }

    /// Checks that images are cut into whole patches, or that the trunk is valid.
    private func checkPatches() throws(ALBEFError) {
        guard let trunk = vision.trunk else {
            guard vision.imageSize % vision.patchSize == 0 else {
                throw .configuration(
                    "vision.image_size",
                    "\(vision.imageSize) is not a multiple of the patch size \(vision.patchSize)")
            }
            return
        }
        try trunk.validate(imageSize: vision.imageSize)
        guard vision.patchSize == trunk.featureStride else {
            throw .configuration(
                "vision.patch_size",
                "must be the trunk's stride, \(trunk.featureStride), not \(vision.patchSize)")
        }
    }

    /// Checks that the switches of both encoders are consistent.
    private func checkSwitches() throws(ALBEFError) {
        if vision.pooling == .classToken, !vision.hasClassToken {
            throw .configuration(
                "vision.pooling", "is class_token, but vision.class_token is false")
        }
        for (name, form, width) in [
            ("vision", vision.projection, vision.width), ("text", text.projection, text.width),
        ] where form == .none && task.aligns && width != embeddingWidth {
            throw .configuration(
                "\(name).projection",
                "is none, which needs a width of \(embeddingWidth), not \(width)")
        }
        let tokens = [
            ("text.padding_token", text.paddingToken), ("text.end_token", text.endToken),
            ("text.matching_token", text.matchingToken),
        ]
        for case (let name, let token?) in tokens
        where !(0..<text.vocabularySize).contains(token) {
            throw .configuration(
                name, "\(token) is not among the \(text.vocabularySize) tokens of the vocabulary")
        }
        if text.pooling == .endOfText, text.endToken == nil {
            throw .configuration("text.end_token", "is required if text.pooling is end_of_text")
        }
        if let length = text.paddedLength, !(text.maximumTokens...text.positions).contains(length) {
            throw .configuration(
                "text.padded_length",
                "\(length) is not within \(text.maximumTokens)...\(text.positions)")
        }
        let reads = text.fusionLayer < text.depth
        if reads, text.normPlacement == .before || text.attention != .unpadded {
            throw .configuration(
                "text.norm_placement",
                "must be after and text.attention unpadded if layers read images")
        }
        if task.requiresFusion, !reads {
            throw .configuration(
                "text.fusion_layer",
                "leaves no layer that reads images, which \(task.rawValue) needs")
        }
        if task.pairsImages, (text.depth - text.fusionLayer) % 2 != 0 {
            throw .configuration(
                "text.depth",
                "leaves \(text.depth - text.fusionLayer) fusion layers, but those of"
                    + " \(task.rawValue) come in pairs")
        }
        if text.sharesLayers, text.fusionLayer > 0 {
            throw .configuration("text.fusion_layer", "must be 0 if text.shares_layers is true")
        }
    }

    private func checkSizes() throws(ALBEFError) {
        let sizes: [(name: String, value: Int, limit: Int)] = [
            ("vision.image_size", vision.imageSize, 16_384),
            ("vision.patch_size", vision.patchSize, 4096),
            ("vision.width", vision.width, 65_536),
            ("vision.depth", vision.depth, 1000),
            ("vision.heads", vision.heads, 65_536),
            ("vision.mlp_width", vision.mlpWidth, 1_048_576),
            ("text.vocabulary_size", text.vocabularySize, 16_777_216),
            ("text.width", text.width, 65_536),
            ("text.depth", text.depth, 1000),
            ("text.heads", text.heads, 65_536),
            ("text.mlp_width", text.mlpWidth, 1_048_576),
            ("text.positions", text.positions, 1_048_576),
            ("text.maximum_tokens", text.maximumTokens, 1_048_576),
            ("embedding_width", embeddingWidth, 65_536),
        ]
        for (name, value, limit) in sizes {
            // A trunk may have no blocks above it.
            if name == "vision.depth", value == 0, vision.trunk != nil { continue }
            guard value > 0 else { throw .configuration(name, "must be positive, not \(value)") }
            guard value <= limit else {
                throw .configuration(name, "is \(value), over the limit of \(limit)")
            }
        }
    }

    private func checkNumbers() throws(ALBEFError) {
        guard vision.mean.count == 3, vision.standardDeviation.count == 3 else {
            throw .configuration("vision.mean", "and standard_deviation need three channels each")
        }
        // NaN is in no range.
        for mean in vision.mean where !(-10...10).contains(mean) {
            throw .configuration("vision.mean", "must be from -10 to 10, not \(mean)")
        }
        for deviation in vision.standardDeviation where !(1e-4...100).contains(deviation) {
            throw .configuration(
                "vision.standard_deviation", "must be from 0.0001 to 100, not \(deviation)")
        }
        let epsilons: [(name: String, value: Double)] = [
            ("vision.layer_norm_epsilon", vision.layerNormEpsilon),
            ("text.layer_norm_epsilon", text.layerNormEpsilon),
        ]
        for (name, epsilon) in epsilons where !(0...1).contains(epsilon) {
            throw .configuration(name, "must be from 0 to 1, not \(epsilon)")
        }
    }
}
