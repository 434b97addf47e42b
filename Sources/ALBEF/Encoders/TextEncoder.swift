public import Torch

/// A stack of transformer layers that serves as two encoders.
///
/// The layers below `fusion_layer` read the text alone; they are the text encoder. The other layers
/// also attend to an image; they are the fusion encoder. BLIP's layers do both. The towers of CLIP
/// and SigLIP have no fusion layer. The parameters' names start with `text_encoder.bert.` for every
/// source.
public final class TextEncoder: Sendable {
    /// The embeddings of token ids.
    public let embeddings: BertEmbeddings
    /// The layers of the text encoder, first to last.
    public let textLayers: [BertLayer]
    /// The layers of the fusion encoder, first to last.
    public let fusionLayers: [BertLayer]
    /// Follows the last layer; nil if the layers normalise their output.
    private let norm: LayerNorm?
    private let configuration: ALBEFConfiguration.Text

    /// Creates an encoder with the parameters of a scope.
    ///
    /// - Parameters:
    ///   - scope: the source of parameters.
    ///   - configuration: the sizes and conventions of the model.
    ///   - prefix: the first part of the parameters' names; `text_encoder.bert` by default.
    /// - Throws: an error that names a missing or misshapen parameter.
    public convenience init(
        _ scope: ParameterScope, _ configuration: ALBEFConfiguration,
        prefix: String = "text_encoder.bert"
    ) throws {
        try self.init(
            scope, configuration.text, reading: configuration.vision.width,
            inPairs: configuration.task.pairsImages, prefix: prefix)
    }

    /// Creates an encoder of texts, or a decoder.
    ///
    /// - Parameters:
    ///   - width: the width of what the fusion layers read: of image tokens, or of a decoder's
    ///     question.
    ///   - inPairs: whether neighbouring fusion layers share their projections of keys and values.
    init(
        _ scope: ParameterScope, _ text: ALBEFConfiguration.Text, reading width: Int,
        inPairs: Bool = false, prefix: String
    ) throws {
        self.configuration = text
        embeddings = try BertEmbeddings(scope, "\(prefix).embeddings", text)
        let layers = try (0..<text.depth).map { index in
            let place = index - text.fusionLayer
            return try BertLayer(
                scope, "\(prefix).encoder.layer.\(index)", text,
                imageWidth: place < 0 ? nil : width,
                sharing: inPairs && place > 0 && place % 2 == 1
                    ? "\(prefix).encoder.layer.\(index - 1)" : nil)
        }
        textLayers = Array(layers[..<text.textDepth])
        fusionLayers = Array(layers[text.fusionLayer...])
        norm =
            text.normPlacement == .before
            ? try LayerNorm(
                scope, "\(prefix).norm", width: text.width, epsilon: text.layerNormEpsilon) : nil
    }

    /// Encodes texts without an image.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - selection: the tokens of the last layer whose states are needed; all by default.
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

    /// Returns the input of the fusion layers: the states of the text encoder, or the embeddings if
    /// all layers read both text and image.
    ///
    /// - Parameters:
    ///   - ids: token ids `[B, L]`.
    ///   - states: the result of ``encode(_:mask:_:dropout:)`` for them, `[B, L, D]`.
    /// - Returns: `[B, L, D]`.
    func fusionInput(_ ids: Tensor, states: Tensor) -> Tensor {
        guard configuration.sharesLayers else { return states }
        guard let first = configuration.matchingToken else { return embeddings(ids) }
        let start = Tensor.full([ids.size(0), 1], Double(first), device: ids.device).to(ids.dtype)
        return embeddings(Tensor.concatenated([start, ids[.all, 1...]], 1))
    }

    /// Returns the states `[B, D]` by which texts are compared.
    ///
    /// - Parameters:
    ///   - states: the states of the last layer, `[B, L, D]`; those that ``pooledSelection``
    ///     selects suffice.
    ///   - ids: token ids `[B, L]`.
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

    /// The tokens of the last layer whose states ``pooled(_:ids:mask:)`` needs.
    var pooledSelection: TokenSelection { configuration.pooling == .start ? .start : .all }

    /// Fuses text states with one image per text.
    ///
    /// - Parameters:
    ///   - states: the result of ``encode(_:mask:_:dropout:)``, `[B, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - image: image tokens `[B, P + 1, D_v]`.
    /// - Returns: fused token states `[B, L, D]`.
    public func fuse(_ states: Tensor, mask: Tensor, image: Tensor) -> Tensor {
        fuse(states, mask: mask, with: memory(of: image), .aligned)
    }

    /// Fuses text states with images whose keys and values are given.
    ///
    /// - Parameters:
    ///   - states: the result of ``encode(_:mask:_:dropout:)``, `[R, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[R, L]`.
    ///   - memory: what `memory(of:)` returns for N images.
    ///   - pairing: which image each row reads.
    ///   - range: the fusion layers to apply, counted from 0; nil for all.
    ///   - selection: the tokens of the last layer whose states are needed; all by default.
    ///   - rows: the text of each row, `[R]` indices, if texts are read with several images. The
    ///     states and the mask are then one per text, and the first self-attention is computed once
    ///     per text. nil if the states are one per row.
    ///   - dropout: nil in evaluation.
    /// - Returns: fused token states `[R, K, D]`.
    public func fuse(
        _ states: Tensor, mask: Tensor, with memory: [KeysAndValues], _ pairing: ImagePairing,
        layers range: Range<Int>? = nil, _ selection: TokenSelection = .all, rows: Tensor? = nil,
        dropout: Dropout? = nil
    ) -> Tensor {
        var additive = fusionMask(mask)
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

    /// Fuses images with one text, or with one text per image, by the cheaper of two exact forms.
    ///
    /// A text much shorter than the images' tokens, such as a query, is projected instead of the
    /// images; see ``FusionForm``. In both forms the states that all pairs share are computed once.
    ///
    /// - Parameters:
    ///   - states: the result of ``encode(_:mask:_:dropout:)`` for one text, `[1, L, D]`, or for N
    ///     texts, `[N, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[1, L]` or `[N, L]`.
    ///   - tokens: the tokens of N images.
    ///   - selection: the tokens of the last layer whose states are needed.
    ///   - form: nil for the form with fewer multiplications.
    /// - Returns: fused token states `[N, K, D]`.
    public func fuse(
        _ states: Tensor, mask: Tensor, withEach tokens: ImageTokens, _ selection: TokenSelection,
        form: FusionForm? = nil
    ) -> Tensor {
        let additive = Self.additive(mask)
        let (count, patches) = (tokens.values.size(0), tokens.values.size(1))
        let last = fusionLayers.count - 1
        // Before the first image is read, the states are the same for all pairs.
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

    /// Fuses text states with images, and lets a closure replace the attention of some layers to
    /// them.
    ///
    /// - Parameters:
    ///   - states: the result of ``encode(_:mask:_:dropout:)``, `[B, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[B, L]`.
    ///   - image: the tokens `[N, P + 1, D_v]` of N images.
    ///   - rows: the image of each text, `[B]` indices; nil if text i reads image i.
    ///   - layers: the watched fusion layers, counted from 0; those below the first of them run
    ///     without gradients.
    ///   - weights: receives a watched layer and its attention probabilities `[B, H, L, P + 1]`, and
    ///     returns those to use.
    /// - Returns: fused token states `[B, K, D]`, `[CLS]` first; K is L if the last layer is watched,
    ///   else 1.
    func fuse(
        _ states: Tensor, mask: Tensor, image: Tensor, rows: Tensor? = nil,
        watching layers: Set<Int>, _ weights: @escaping (Int, Tensor) -> Tensor
    ) -> Tensor {
        let first = layers.min() ?? fusionLayers.count
        let (memory, below) = withoutGradients {
            let memory = self.memory(of: image).map { memory in
                (rows.map { memory.rows($0) } ?? memory).to(.float32)
            }
            return (
                memory, fuse(states, mask: mask, with: memory, .aligned, layers: 0..<first)
            )
        }
        return (first..<fusionLayers.count).reduce(below) { x, index in
            guard layers.contains(index) else {
                return fuse(
                    x, mask: mask, with: memory, .aligned, layers: index..<index + 1, .start)
            }
            return fusionLayers[index](
                x, mask: Self.additive(mask),
                image: .watched(memory[index]) { weights(index, $0) })
        }
    }

    private func cheaperForm(
        _ attention: BertAttention, _ x: Tensor, _ selection: TokenSelection, patches: Int
    ) -> FusionForm {
        let length = if case .start = selection { 1 } else { x.size(1) }
        let cost = attention.readingCost(length: length, patches: patches)
        return cost.textSide < cost.imageSide ? .textSide : .imageSide
    }

    /// Projects images `[N, P + 1, D_v]` to the keys and values of each fusion layer.
    ///
    /// They do not depend on the text.
    public func memory(of image: Tensor) -> [KeysAndValues] {
        memory(of: [image])
    }

    /// Projects the images that the fusion layers read by turns to their keys and values.
    ///
    /// With two images, as in NLVR2, the first layer of each pair reads the first image, and the
    /// second layer the second image.
    ///
    /// - Parameter images: the tokens `[N, P + 1, D_v]` of N images each; at least one element.
    public func memory(of images: [Tensor]) -> [KeysAndValues] {
        fusionLayers.enumerated().compactMap { index, layer in
            layer.crossAttention?.keysAndValues(of: images[index % images.count])
        }
    }

    /// Projects N texts, of which a decoder reads the tokens without the padding.
    ///
    /// - Parameters:
    ///   - states: token states `[N, L, D]`.
    ///   - mask: 1 for tokens, 0 for padding, `[N, L]`.
    func memory(of states: Tensor, mask: Tensor) -> [KeysAndValues] {
        let additive = Self.additive(mask)
        return memory(of: states).map {
            KeysAndValues(keys: $0.keys, values: $0.values, mask: additive)
        }
    }

    /// Returns the mask added to the self-attention scores of the text encoder: `[B, 1, 1, L]`, or
    /// `[1, 1, L, L]` if it is causal; nil if all tokens are attended to.
    private func selfAttentionMask(_ mask: Tensor) -> Tensor? {
        switch configuration.attention {
        case .unpadded: return Self.additive(mask)
        case .all: return nil
        case .causal: return Self.causal(mask.size(1), device: mask.device)
        }
    }

    /// Returns the mask added to the self-attention scores of the fusion layers: `[B, 1, 1, L]`, or
    /// `[B, 1, L, L]` in a decoder.
    private func fusionMask(_ mask: Tensor) -> Tensor {
        let padding = Self.additive(mask)
        guard configuration.attention == .causal else { return padding }
        return padding + Self.causal(mask.size(1), device: mask.device)
    }

    /// Returns `[1, 1, L, L]`, which is -10000 where a token would attend to a later one.
    private static func causal(_ length: Int, device: Device) -> Tensor {
        let places = Tensor.arange(0..<length, device: device)
        let isAhead = (places - places.unsqueezed(1)).isGreater(than: 0)
        return (isAhead.to(.float32) * -10_000)[.new, .new]
    }

    /// Returns `[B, 1, 1, L]`, which is -10000 where the mask `[B, L]` is 0 and otherwise 0, as in
    /// BERT.
    public static func additive(_ mask: Tensor) -> Tensor {
        ((mask.to(.float32) - 1) * 10_000)[.all, .new, .new]
    }
}

/// The two ways to compute the same cross-attention.
public enum FusionForm: Sendable, Hashable, CaseIterable {
    /// Projects the queries to the space of the image tokens, and the averaged tokens back.
    case textSide
    /// Projects every image token to a key and a value, as in the paper.
    case imageSide
}
