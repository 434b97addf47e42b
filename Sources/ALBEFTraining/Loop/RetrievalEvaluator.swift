public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Judges a model by retrieval on captioned pictures: the towers alone, and re-ranked.
public struct RetrievalEvaluator: Sendable {
    /// What was found.
    public struct Result: Sendable {
        /// Recall of the two towers alone.
        public let dual: RecallMetrics
        /// Recall after re-ranking; nil where nothing was re-ranked.
        public let reranked: RecallMetrics?
        /// Candidates re-ranked (k); 0 for none.
        public let depth: Int
        /// What some of the texts found.
        public let samples: [SampleRetrieval]
    }

    /// Number of pictures.
    public let imageCount: Int
    /// Number of captions.
    public var textCount: Int { captions.count }
    private let paths: [FilePath]
    private let captions: [(text: String, image: Int)]
    private let loader: ImageLoader
    private let encoder: GalleryEncoder

    private static let sampleCount = 12
    private static let sampleDepth = 8

    /// Prepares an evaluation on a data set.
    ///
    /// - Parameters:
    ///   - limit: pictures used, the first ones; 0 for all.
    ///   - vision: what pictures become.
    ///   - text: what captions become.
    public init(
        _ dataset: CaptionDataset, limit: Int = 0, vision: ALBEFConfiguration.Vision,
        text: TextPreprocessor
    ) {
        let images = limit > 0 ? Array(dataset.images.prefix(limit)) : dataset.images
        paths = images.map(\.path)
        captions = images.enumerated().flatMap { index, image in
            image.captions.map { ($0, index) }
        }
        imageCount = images.count
        loader = ImageLoader(targetSide: vision.imageSize)
        encoder = GalleryEncoder(text: text, transform: ImageTransform(vision))
    }

    /// Encodes and compares everything, by the protocol of the model's dialect.
    ///
    /// - Parameters:
    ///   - depth: candidates to re-rank; 0 for none.
    ///   - ranking: what they are ordered by; nil for what the model's dialect does.
    ///   - progress: told the pictures done and in all.
    /// - Throws: `ImageError` that names a file; `CancellationError`.
    public func evaluate(
        _ model: ALBEFModel, depth: Int, ranking: RankingScore? = nil,
        progress: @escaping (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result {
        let images = try await encoder.images(imageCount, model) { [paths, loader] in
            try loader.load(paths[$0])
        }
        let scores = GalleryScores(
            images, try encoder.texts(captions.map(\.text), model), model: model)
        let rightImages = captions.map(\.image)
        let dual = scores.dual(images: rightImages)
        guard depth > 0 else {
            return Result(
                dual: dual, reranked: nil, depth: 0, samples: try samples(scores, nil))
        }
        let (byImage, byText) = try scores.reranked(
            depth: depth, ranking: ranking ?? .standard(model.configuration.dialect)
        ) { done in
            try Task.checkCancellation()
            progress(done, imageCount)
        }
        return Result(
            dual: dual,
            reranked: RecallMetrics(
                imageToText: byImage, textToImage: byText, images: rightImages),
            depth: depth, samples: try samples(scores, byText))
    }

    /// What some of the texts find, for people to look at.
    private func samples(
        _ scores: GalleryScores, _ reranked: Tensor?
    ) throws -> [SampleRetrieval] {
        let count = min(Self.sampleCount, captions.count)
        return try (0..<count).map { index in
            let text = index * captions.count / count
            let cosines: [Float] = scores.similarities[.all, text].contiguous().values()
            let logits: [Float]? = reranked.map { $0[text].values() }
            return try SampleRetrieval(
                query: captions[text].text, right: captions[text].image, paths: paths,
                cosines: cosines, logits: logits, depth: Self.sampleDepth
            ) { try scores.matchLogits(text: text, images: $0).map { MatchCalibration()($0) } }
        }
    }
}

extension ImageTransform {
    /// The transform that a model's images go through when nothing is random.
    init(_ vision: ALBEFConfiguration.Vision) {
        self.init(
            side: vision.imageSize, mean: SIMD3(vision.mean.map(Float.init)),
            standardDeviation: SIMD3(vision.standardDeviation.map(Float.init)))
    }
}
