import ALBEF
import ImageText
import SystemPackage

/// Captioned pictures that a model is judged on.
struct CaptionedGallery: Sendable {
    /// The pictures' files.
    let paths: [FilePath]
    /// Every caption with the index of its picture.
    let captions: [(text: String, image: Int)]
    private let loader: ImageLoader
    private let encoder: GalleryEncoder

    /// Takes the pictures and captions of a data set.
    ///
    /// - Parameters:
    ///   - limit: pictures used, the first ones; 0 for all.
    ///   - vision: what pictures become.
    ///   - text: what captions become.
    init(
        _ dataset: CaptionDataset, limit: Int, vision: ALBEFConfiguration.Vision,
        text: TextPreprocessor
    ) {
        let images = limit > 0 ? Array(dataset.images.prefix(limit)) : dataset.images
        paths = images.map(\.path)
        captions = images.enumerated().flatMap { index, image in
            image.captions.map { ($0, index) }
        }
        loader = ImageLoader(targetSide: vision.imageSize)
        encoder = GalleryEncoder(text: text, transform: ImageTransform(vision))
    }

    /// The captions as the model reads them.
    var cleanedCaptions: [String] { captions.map { encoder.text.clean($0.text) } }

    /// Encodes everything.
    ///
    /// - Throws: `ImageError` that names a file; `CancellationError`.
    func scores(_ model: ALBEFModel) async throws -> GalleryScores {
        let images = try await encoder.images(paths.count, model) { [paths, loader] in
            try loader.load(paths[$0])
        }
        return GalleryScores(
            images, try encoder.texts(captions.map(\.text), model), model: model)
    }
}
