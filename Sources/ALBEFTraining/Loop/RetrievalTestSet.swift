import ALBEF
import ImageText
import SystemPackage
import Torch

/// The captioned images on which a model is evaluated; at least one image and one caption.
struct RetrievalTestSet: Sendable {
    /// The files of the images.
    let paths: [FilePath]
    /// Every caption with the index of its image.
    let captions: [(text: String, image: Int)]
    private let loader: ImageLoader
    private let encoder: EvaluationEncoder

    /// Creates a test set from the images and captions of a data set.
    ///
    /// - Parameters:
    ///   - dataset: The captioned images.
    ///   - source: The name of the data set in errors.
    ///   - limit: The number of images to use, from the beginning of the data; 0 for all.
    ///   - preprocessing: The preprocessing of the model's images and texts.
    ///   - recall: The model that computes the features, if it is another one.
    /// - Throws: ``TrainingError`` if there are no images, or none of them has a caption.
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

    /// The model that computes the features, if it is another one.
    var recall: RecallModel? { encoder.recall }

    /// The captions after the model's text cleaning.
    var cleanedCaptions: [String] { captions.map { encoder.preprocessing.text.clean($0.text) } }

    /// Encodes all images and captions and returns their scores.
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
