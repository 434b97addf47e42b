import ALBEF
import ImageText
import SystemPackage
import Torch

/// Captioned images that a model is evaluated on; at least one image and one caption.
struct RetrievalTestSet: Sendable {
    /// The images' files.
    let paths: [FilePath]
    /// Every caption with the index of its image.
    let captions: [(text: String, image: Int)]
    private let loader: ImageLoader
    private let encoder: EvaluationEncoder

    /// Takes the images and captions of a data set.
    ///
    /// - Parameters:
    ///   - source: what errors call the data set.
    ///   - limit: images used, the first ones; 0 for all.
    ///   - preprocessing: what the model's inputs go through.
    ///   - recall: what the features are of, where that is another model.
    /// - Throws: ``TrainingError`` if there is no image, or none with a caption.
    init(
        _ dataset: CaptionDataset, source: String, limit: Int, preprocessing: ModelPreprocessing,
        recall: RecallModel? = nil
    ) throws(TrainingError) {
        let images = limit > 0 ? Array(dataset.images.prefix(limit)) : dataset.images
        paths = images.map(\.path)
        captions = images.enumerated().flatMap { index, image in
            image.captions.map { ($0, index) }
        }
        guard !captions.isEmpty else {
            throw .nothingToEvaluate(source, images: images.count)
        }
        loader = ImageLoader(
            targetSide: max(preprocessing.image.side, recall?.preprocessing.image.side ?? 0))
        encoder = EvaluationEncoder(
            preprocessing: preprocessing, recall: recall)
    }

    /// What the features are of, where that is another model.
    var recall: RecallModel? { encoder.recall }

    /// The captions as the model reads them.
    var cleanedCaptions: [String] { captions.map { encoder.preprocessing.text.clean($0.text) } }

    /// Encodes everything.
    ///
    /// - Throws: `ImageError` that names a file; `TorchError` if there is not enough memory;
    ///   `CancellationError`.
    func scores(_ model: ALBEFModel) async throws -> RetrievalScores {
        let images = try await encoder.images(paths.count, model) { [paths, loader] in
            try loader.load(paths[$0])
        }
        let texts = try encoder.texts(captions.map(\.text), model)
        return try recovering { encoder.scores(images, texts, model) }
    }
}
