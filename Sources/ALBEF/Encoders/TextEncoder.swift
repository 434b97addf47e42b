public import Torch

/// The stack of text layers that serves as two encoders.
///
/// Layers below `fusion_layer` read the text alone: the text encoder. The layers from there on
/// also attend to an image: the fusion encoder. BLIP's layers do both. The towers of CLIP and
/// SigLIP have no fusion layer. Parameters live under `text_encoder.bert.`, whatever the source.
public final class TextEncoder: Sendable {
    /// Turns token ids into vectors.
    public let embeddings: BertEmbeddings
    /// The layers of the text encoder, first to last.
    public let textLayers: [BertLayer]
    /// The layers of the fusion encoder, first to last.
    public let fusionLayers: [BertLayer]
    /// After the last layer; nil where the layers normalise what they give.
    private let norm: LayerNorm?
    private let configuration: ALBEFConfiguration.Text

    /// Takes the parameters from a scope.
    ///
    /// - Throws: an error that names a missing or misshapen parameter.
    public init(
        _ scope: ParameterScope, _ configuration: ALBEFConfiguration,
        prefix: String = "text_encoder.bert"
    ) throws {
        let text = configuration.text
        self.configuration = text
        embeddings = try BertEmbeddings(scope, "\(prefix).embeddings", text)
        let layers = try (0..<text.depth).map { index in
            try BertLayer(
                scope, "\(prefix).encoder.layer.\(index)", text,
                imageWidth: index < text.fusionLayer ? nil : configuration.vision.width)
        }
        textLayers = Array(layers[..<text.textDepth])
        fusionLayers = Array(layers[text.fusionLayer...])
        norm =
            text.normPlacement == .before
            ? try LayerNorm(
                scope, "\(prefix).norm", width: text.width, epsilon: text.layerNormEpsilon) : nil
    }

    /// Encodes a text without an image.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - selection: which tokens are wanted of the last layer.
    ///   - dropout: nil in evaluation.
    /// - Returns: token states `[B, K, D]`.
    public func encode(
        _ ids: Tensor, mask: Tensor, _ selection: TokenSelection = .all, dropout: Dropout? = nil
    ) -> Tensor {
        let additive = selfAttentionMask(mask)
        var x = embeddings(ids, dropout: dropout)
        for (index, layer) in textLayers.enumerated() {
            let isLast = index == textLayers.count - 1
            x = layer(x, isLast ? selection : .all, mask: additive, dropout: dropout)
        }
        return norm?(x) ?? x
    }

    /// What the fusion layers read of texts: the states of the text encoder, or the embeddings
    /// where all layers read both.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - states: what ``encode(_:mask:_:dropout:)`` made of them, `[B, L, D]`.
    /// - Returns: `[B, L, D]`.
    func fusionInput(_ ids: Tensor, states: Tensor) -> Tensor {
        guard configuration.sharesLayers else { return states }
        guard let first = configuration.matchingToken else { return embeddings(ids) }
        let start = Tensor.full([ids.size(0), 1], Double(first), device: ids.device).to(ids.dtype)
        return embeddings(Tensor.concatenated([start, ids[.all, 1...]], 1))
    }

    /// The states `[B, D]` that texts are compared by.
    ///
    /// - Parameters:
    ///   - states: of the last layer, `[B, L, D]`; the first token's alone is enough where
    ///     ``pooledSelection`` says so.
    ///   - ids: the tokens `[B, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    func pooled(_ states: Tensor, ids: Tensor, mask: Tensor) -> Tensor {
        func state(at positions: Tensor) -> Tensor {
            let starts = Tensor.arange(0..<ids.size(0), device: ids.device) * Double(ids.size(1))
            return states.reshaped(-1, states.size(2))
                .selected(0, (starts + positions).to(.int64))
        }
        switch configuration.pooling {
        case .start: return states[.all, 0]
        case .last: return states[.all, states.size(1) - 1]
        case .largest: return state(at: ids.argmax(1))
        case .endOfText:
            let isEnd = ids.isEqual(to: Double(configuration.endToken ?? 0))
            return state(at: isEnd.to(.int64).argmax(1))
        case .mean:
            let weights = mask.to(states.dtype).unsqueezed(-1)
            return (states * weights).sum(1) / weights.sum(1).clamped(1, .infinity)
        }
    }

    /// Which states of the last layer ``pooled(_:ids:mask:)`` needs.
    var pooledSelection: TokenSelection { configuration.pooling == .start ? .start : .all }

    /// Reads text states together with an image.
    ///
    /// - Parameters:
    ///   - states: what ``encode(_:mask:_:dropout:)`` returned, `[B, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - image: image tokens `[B, P + 1, D_v]`.
    /// - Returns: fused token states `[B, L, D]`.
    public func fuse(_ states: Tensor, mask: Tensor, image: Tensor) -> Tensor {
        fuse(states, mask: mask, with: memory(of: image), .aligned)
    }

    /// Reads text states together with images whose keys and values are there.
    ///
    /// - Parameters:
    ///   - states: what ``encode(_:mask:_:dropout:)`` returned, `[R, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[R, L]`.
    ///   - memory: what ``memory(of:)`` returned for N images.
    ///   - pairing: which image each row reads.
    ///   - range: which fusion layers to apply, counted from 0; nil for all.
    ///   - selection: which tokens are wanted of the last layer.
    ///   - rows: where texts are read with several images, which text each row is, `[R]`; the
    ///     states and the mask are then those of the texts, whose first self-attention is computed
    ///     once for all their rows.
    ///   - dropout: nil in evaluation.
    /// - Returns: fused token states `[R, K, D]`.
    public func fuse(
        _ states: Tensor, mask: Tensor, with memory: [KeysAndValues], _ pairing: ImagePairing,
        layers range: Range<Int>? = nil, _ selection: TokenSelection = .all, rows: Tensor? = nil,
        dropout: Dropout? = nil
    ) -> Tensor {
        var additive = Self.additive(mask)
        var rows = rows
        return (range ?? fusionLayers.indices).reduce(states) { x, index in
            let isLast = index == fusionLayers.count - 1
            defer {
                additive = rows.map { additive[$0] } ?? additive
                rows = nil
            }
            return fusionLayers[index](
                x, isLast ? selection : .all, mask: additive, rows: rows,
                image: .projected(memory[index], pairing), dropout: dropout)
        }
    }

    /// Reads images with one text, or with a text each, in the cheaper of two exact ways.
    ///
    /// A text much shorter than the images' tokens, as queries are, is projected instead of the
    /// images; see ``FusionForm``. Either way the states that all pairs share are computed once.
    ///
    /// - Parameters:
    ///   - states: what ``encode(_:mask:_:dropout:)`` returned for one text, `[1, L, D]`, or for N.
    ///   - mask: 1 for tokens, 0 for padding, `[1, L]` or `[N, L]`.
    ///   - tokens: the tokens of N images.
    ///   - selection: which tokens are wanted of the last layer.
    ///   - form: nil for the one with fewer multiplications.
    /// - Returns: fused token states `[N, K, D]`.
    public func fuse(
        _ states: Tensor, mask: Tensor, withEach tokens: ImageTokens, _ selection: TokenSelection,
        form: FusionForm? = nil
    ) -> Tensor {
        let additive = Self.additive(mask)
        let (count, patches) = (tokens.values.size(0), tokens.values.size(1))
        let last = fusionLayers.count - 1
        // Until the first image is read, the states are the same for all pairs.
        let everyPair = Tensor([Int](repeating: 0, count: count), device: states.device)
        var x = states
        for (index, layer) in fusionLayers.enumerated() {
            let selection = index == last ? selection : .all
            guard let attention = layer.crossAttention else { continue }
            switch form ?? cheaperForm(attention, x, selection, patches: patches) {
            case .textSide: x = layer(x, selection, mask: additive, image: .tokens(tokens))
            case .imageSide:
                x = layer(
                    x, selection, mask: additive, rows: x.size(0) < count ? everyPair : nil,
                    image: .projected(attention.keysAndValues(of: tokens), .aligned))
            }
        }
        return x
    }

    /// Reads text states together with an image, with one layer's attention to it exchanged on the way.
    ///
    /// - Parameters:
    ///   - states: what ``encode(_:mask:_:dropout:)`` returned, `[B, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - image: image tokens `[B, P + 1, D_v]`.
    ///   - index: the fusion layer, counted from 0; what lies below it runs without gradients.
    ///   - weights: is given its attention probabilities `[B, H, L, P + 1]` and returns those to use.
    /// - Returns: fused token states, `[CLS]` first, `[B, K, D]`; K is 1 unless the layer is the last.
    func fuse(
        _ states: Tensor, mask: Tensor, image: Tensor, watching index: Int,
        _ weights: (Tensor) -> Tensor
    ) -> Tensor {
        withoutActuallyEscaping(weights) { weights in
            let memory = withoutGradients { self.memory(of: image) }
            let below = withoutGradients {
                fuse(states, mask: mask, with: memory, .aligned, layers: 0..<index)
            }
            let watched = fusionLayers[index](
                below, mask: Self.additive(mask),
                image: .watched(memory[index], weights: weights))
            return fuse(
                watched, mask: mask, with: memory, .aligned,
                layers: (index + 1)..<fusionLayers.count, .start)
        }
    }

    private func cheaperForm(
        _ attention: BertAttention, _ x: Tensor, _ selection: TokenSelection, patches: Int
    ) -> FusionForm {
        let length = if case .start = selection { 1 } else { x.size(1) }
        let cost = attention.readingCost(length: length, patches: patches)
        return cost.textSide < cost.imageSide ? .textSide : .imageSide
    }

    /// What each fusion layer reads of images `[N, P + 1, D_v]`; the same for every text.
    public func memory(of image: Tensor) -> [KeysAndValues] {
        fusionLayers.compactMap { $0.crossAttention?.keysAndValues(of: image) }
    }

    /// What is added to the scores of the text encoder's self-attention: `[B, 1, 1, L]`, or
    /// `[1, 1, L, L]` where it is causal; nil where all tokens are attended to.
    private func selfAttentionMask(_ mask: Tensor) -> Tensor? {
        switch configuration.attention {
        case .unpadded: return Self.additive(mask)
        case .all: return nil
        case .causal:
            let places = Tensor.arange(0..<mask.size(1), device: mask.device)
            let isAhead = (places - places.unsqueezed(1)).isGreater(than: 0)
            return (isAhead.to(.float32) * -10_000)[.new, .new]
        }
    }

    /// -10000 where the mask `[B, L]` is 0, as BERT does it; `[B, 1, 1, L]`.
    public static func additive(_ mask: Tensor) -> Tensor {
        ((mask.to(.float32) - 1) * 10_000)[.all, .new, .new]
    }
}

/// Two ways to compute the same cross-attention.
public enum FusionForm: Sendable, Hashable, CaseIterable {
    /// Queries are carried to the image tokens' space, and what they find there back.
    case textSide
    /// Keys and values of every image token, as the paper writes it.
    case imageSide
}
