import ALBEF
public import ImageText
public import SystemPackage
public import Torch

/// Encodes many images, texts or pairs, batch by batch.
///
/// Images are read and decoded ahead of the encoder, on other threads. Only a few are in memory.
///
/// ```swift
/// let extractor = FeatureExtractor(try SearchModel("model"), kind: .image)
/// try await extractor.images(paths) { print("left out: \($1)") } rows: { features, indices in
///     print(features.shape, indices.map { paths[$0] })
/// }
/// ```
public struct FeatureExtractor: Sendable {
    /// The model that encodes.
    public let model: SearchModel
    /// The vectors that are extracted.
    public let kind: FeatureKind
    private let batchSize: Int

    private static let decodeAhead = 8
    private static let textsAtOnce = 64

    /// Creates an extractor.
    ///
    /// - Parameters:
    ///   - model: The model that encodes.
    ///   - kind: The vectors to extract.
    ///   - batchSize: The number of images that the encoder processes at once; nil to choose by the
    ///     size of the model.
    public init(_ model: SearchModel, kind: FeatureKind = .aligned, batchSize: Int? = nil) {
        self.model = model
        self.kind = kind
        self.batchSize = max(1, batchSize ?? model.defaultBatchSize)
    }

    /// The shape of the vector of one image, text or pair.
    public var rowShape: [Int] { model.shape(of: kind) }

    /// Encodes image files.
    ///
    /// - Parameters:
    ///   - paths: The files.
    ///   - skip: Receives the index and the error of each file that cannot be read.
    ///   - rows: Receives vectors `[B] + rowShape` in single precision on the CPU, with the indices
    ///     of their files, in the order of the files.
    /// - Precondition: ``kind`` is not ``FeatureKind/fused``.
    /// - Throws: The errors of the closures; `ALBEFError` if the model lacks what the kind needs;
    ///   `TorchError` if there is not enough memory; `CancellationError`.
    /// - Complexity: O(n) passes of the image encoder for n files.
    public func images(
        _ paths: [FilePath], skip: (Int, ImageError) throws -> Void,
        rows: (Tensor, [Int]) throws -> Void
    ) async throws {
        precondition(kind != .fused, "pairs(_:skip:rows:) encodes images with texts")
        try await forEachBatch(paths, skip: skip) { indices, pixels in
            try rows(encode(pixels), indices)
        }
    }

    private func encode(_ pixels: [PreparedImage]) throws -> Tensor {
        let found =
            switch kind {
            case .aligned: try model.encode(pixels: pixels, keepsTokens: false).features
            case .tokens, .fused: try model.tokens(of: pixels)
            case .image:
                try recovering {
                    let tokens = try model.tokens(of: pixels)
                    return withoutGradients { model.model.visualEncoder.pooled(tokens) }
                }
            }
        return try recovering { found.to(.cpu).to(.float32) }
    }

    /// Encodes texts as aligned features.
    ///
    /// - Parameters:
    ///   - texts: The texts.
    ///   - skip: Receives the index and the error of each text of which no token remains.
    ///   - rows: Receives features `[B, E]` in single precision on the CPU, with the indices of
    ///     their texts, in the order of the texts.
    /// - Precondition: ``kind`` is ``FeatureKind/aligned``.
    /// - Throws: The errors of ``images(_:skip:rows:)``.
    /// - Complexity: O(n) passes of the text encoder for n texts.
    public func texts(
        _ texts: [String], skip: (Int, QueryError) throws -> Void,
        rows: (Tensor, [Int]) throws -> Void
    ) throws {
        precondition(kind == .aligned, "only aligned features of texts are extracted")
        for start in stride(from: 0, to: texts.count, by: Self.textsAtOnce) {
            try Task.checkCancellation()
            var indices: [Int] = []
            for index in start..<min(start + Self.textsAtOnce, texts.count) {
                if model.isEmpty(texts[index]) {
                    try skip(index, .empty(texts[index]))
                } else {
                    indices.append(index)
                }
            }
            if indices.isEmpty { continue }
            let features = try model.features(of: indices.map { texts[$0] })
            try rows(recovering { features.to(.cpu).to(.float32) }, indices)
        }
    }

    /// The place of a pair in a list of captioned images.
    public struct Pair: Sendable, Hashable {
        /// The index of the image.
        public let image: Int
        /// The index of the caption among the image's captions; nil for the image itself.
        public let caption: Int?
    }

    /// Reads images with their captions.
    ///
    /// Each image is encoded once.
    ///
    /// - Parameters:
    ///   - images: The images and their captions.
    ///   - skip: Receives the place and the reason of each image that cannot be read, and of each
    ///     caption of which no token remains.
    ///   - rows: Receives vectors `[B, D]` in single precision on the CPU, with the places of their
    ///     pairs, in the order of the images and of their captions.
    /// - Precondition: ``kind`` is ``FeatureKind/fused``.
    /// - Throws: The errors of ``images(_:skip:rows:)``.
    /// - Complexity: O(n) passes of the image encoder and O(c) of the text and fusion encoders for n
    ///   images with c captions.
    public func pairs(
        _ images: [CaptionedImage], skip: (Pair, String) throws -> Void,
        rows: (Tensor, [Pair]) throws -> Void
    ) async throws {
        precondition(kind == .fused, "images(_:skip:rows:) encodes images alone")
        try await forEachBatch(images.map(\.path)) { index, error in
            try skip(Pair(image: index, caption: nil), error.reason)
        } _: { indices, pixels in
            let tokens = try model.tokens(of: pixels)
            var pairs: [(place: Pair, row: Int)] = []
            for (row, image) in indices.enumerated() {
                for (caption, text) in images[image].captions.enumerated() {
                    let place = Pair(image: image, caption: caption)
                    if model.reader.text.isEmpty(text) {
                        try skip(place, QueryError.empty(text).description)
                    } else {
                        pairs.append((place, row))
                    }
                }
            }
            for start in stride(from: 0, to: pairs.count, by: Self.textsAtOnce) {
                try Task.checkCancellation()
                let some = pairs[start..<min(start + Self.textsAtOnce, pairs.count)]
                let texts = some.compactMap { pair in
                    pair.place.caption.map { images[pair.place.image].captions[$0] }
                }
                try rows(fused(texts, tokens, some.map(\.row)), some.map(\.place))
            }
        }
    }

    /// Returns the states `[R, D]` of `[CLS]` for R texts with one image each.
    private func fused(_ texts: [String], _ tokens: Tensor, _ chosen: [Int]) throws -> Tensor {
        let batch = model.text.batch(texts)
        let (shape, inner) = ([batch.count, batch.length], model.model)
        return try recovering {
            try withoutGradients {
                try inner.fused(
                    Tensor(batch.ids, shape: shape, device: inner.device),
                    mask: Tensor(batch.mask, shape: shape, device: inner.device), tokens: tokens,
                    chosen: Tensor(chosen, device: inner.device), .start
                )[.all, 0].to(.cpu).to(.float32)
            }
        }
    }

    /// Reads and prepares files, and passes them on in batches, in order.
    private func forEachBatch(
        _ paths: [FilePath], skip: (Int, ImageError) throws -> Void,
        _ body: ([Int], [PreparedImage]) throws -> Void
    ) async throws {
        let (model, batchSize) = (model, batchSize)
        let reader = ReadAhead(ahead: max(Self.decodeAhead, batchSize), leavesThreads: true) {
            (index: Int) in
            (index, Result { () throws(ImageError) in try model.pixels(of: paths[index]) })
        }
        var waiting: [(index: Int, pixels: PreparedImage)] = []
        func flush() throws {
            if !waiting.isEmpty { try body(waiting.map(\.index), waiting.map(\.pixels)) }
            waiting = []
        }
        try await reader(Array(paths.indices)) { index, result in
            switch result {
            case .success(let pixels): waiting.append((index, pixels))
            case .failure(let error): try skip(index, error)
            }
            if waiting.count >= batchSize { try flush() }
        }
        try flush()
    }
}
