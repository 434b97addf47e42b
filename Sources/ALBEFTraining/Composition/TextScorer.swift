import ALBEF
import ImageText
import SystemPackage
import Torch

/// Scores images against the texts of their requests, with the towers and with the fusion encoder.
///
/// Each image, or part of an image, is encoded once, however many requests name it. Its encoding is
/// kept only as long as its requests need it.
struct TextScorer: Sendable {
    /// An image, or a part of it, and the texts to compare it with.
    struct Request: Sendable {
        let image: FilePath
        var box: CropBox?
        let texts: [String]
        /// The name of the request in errors.
        let name: String
    }

    /// The scores of a request's texts, in order.
    struct Scores: Sendable {
        /// Cosine similarities of the features.
        var towers: [Float]
        /// The fusion encoder's ranking scores; nil if it was not used.
        var fusion: [Float]?
    }

    /// The result of scoring all requests.
    struct Outcome: Sendable {
        /// The scores of each request, in order; nil if the image cannot be read.
        var scores: [Scores?]
        /// The errors of the images that cannot be read, one per image.
        var unreadable: [ImageError] = []
        /// The number of images, or parts of images, that were encoded.
        var images = 0
    }

    private let encoder: EvaluationEncoder
    private let loader: ImageLoader
    /// Decodes at full size: the boxes do not fit the coordinates of a reduced JPEG.
    private let wholeLoader = ImageLoader()

    /// Creates a scorer.
    ///
    /// - Parameters:
    ///   - preprocessing: The preprocessing of the model's images and texts.
    ///   - recall: The model that computes the features, if it is another one.
    init(preprocessing: ModelPreprocessing, recall: RecallModel?) {
        encoder = EvaluationEncoder(preprocessing: preprocessing, recall: recall)
        loader = ImageLoader(
            targetSide: max(preprocessing.image.side, recall?.preprocessing.image.side ?? 0))
    }

    /// Scores all requests.
    ///
    /// - Parameters:
    ///   - requests: The images with their texts.
    ///   - model: The model to evaluate.
    ///   - ranking: Computes the score by which the fusion encoder orders texts; nil for the towers
    ///     alone.
    ///   - skipsUnreadable: Whether to leave out images that cannot be read.
    ///   - progress: Called with the number of images done and the total.
    /// - Throws: `ImageError` that names a file; ``TrainingError`` if a score is not finite;
    ///   `ALBEFError` if the model has no matching head; `TorchError`; `CancellationError`.
    /// - Complexity: One pass of the image encoder per image, one of the text encoder per distinct
    ///   text of a batch, one of the fusion encoder per pair. Memory holds at most 64 images and
    ///   their tokens.
    func scores(
        _ requests: [Request], _ model: ALBEFModel, ranking: RankingScore?, skipsUnreadable: Bool,
        progress: (Int, Int) -> Void
    ) async throws -> Outcome {
        let views = ImageView.of(requests)
        var outcome = Outcome(scores: [Scores?](repeating: nil, count: requests.count))
        for start in stride(from: 0, to: views.count, by: EvaluationEncoder.imagesAtOnce) {
            let batch = Array(
                views[start..<min(start + EvaluationEncoder.imagesAtOnce, views.count)])
            var prepared: [(view: ImageView, image: EvaluationEncoder.Prepared)] = []
            for (view, result) in zip(batch, await load(batch)) {
                switch result {
                case .success(let image): prepared.append((view, image))
                case .failure(let error):
                    guard skipsUnreadable else { throw error }
                    if outcome.unreadable.last?.source != error.source {
                        outcome.unreadable.append(error)
                    }
                }
            }
            try Task.checkCancellation()
            if !prepared.isEmpty {
                let images = EncodedImageSet(try encoder.images(prepared.map(\.image), model))
                var done = start
                try score(prepared.map(\.view), images, requests, model, ranking, &outcome) {
                    done += 1
                    progress(done, views.count)
                }
            }
            outcome.images += prepared.count
            progress(start + batch.count, views.count)
        }
        return outcome
    }

    // MARK: Images

    /// Reads images in parallel; consecutive parts of one file share one decoded image.
    private func load(
        _ views: [ImageView]
    ) async -> [Result<EvaluationEncoder.Prepared, ImageError>] {
        var runs: [Range<Int>] = []
        for (index, view) in views.enumerated() {
            if let last = runs.last, views[last.lowerBound].isFromSameImage(as: view) {
                runs[runs.count - 1] = last.lowerBound..<index + 1
            } else {
                runs.append(index..<index + 1)
            }
        }
        return await withTaskGroup(
            of: (Range<Int>, [Result<EvaluationEncoder.Prepared, ImageError>]).self
        ) { group in
            for run in runs { group.addTask { (run, prepare(views[run])) } }
            var found = [Result<EvaluationEncoder.Prepared, ImageError>](
                repeating: .success(.init()), count: views.count)
            for await (run, results) in group { found.replaceSubrange(run, with: results) }
            return found
        }
    }

    private func prepare(
        _ views: ArraySlice<ImageView>
    ) -> [Result<EvaluationEncoder.Prepared, ImageError>] {
        guard let first = views.first else { return [] }
        let image = Result { () throws(ImageError) in
            try (first.box == nil ? loader : wholeLoader).load(first.path)
        }
        return views.map { view in
            Result { () throws(ImageError) in
                let image = try image.get()
                guard let box = view.box else { return encoder.prepare(image) }
                return encoder.prepare(
                    try image.cropped(to: box, named: view.path.description))
            }
        }
    }

    // MARK: Scores

    /// Scores the requests of encoded images, batching the texts of several requests.
    private func score(
        _ views: [ImageView], _ images: EncodedImageSet, _ requests: [Request],
        _ model: ALBEFModel, _ ranking: RankingScore?, _ outcome: inout Outcome,
        whenImageIsDone: () -> Void
    ) throws {
        var waiting: [(image: Int, request: Int)] = []
        var texts = 0
        for (image, view) in views.enumerated() {
            for request in view.requests {
                waiting.append((image, request))
                texts += requests[request].texts.count
                guard texts >= EvaluationEncoder.textsAtOnce else { continue }
                try score(waiting, images, requests, model, ranking, &outcome)
                (waiting, texts) = ([], 0)
            }
            whenImageIsDone()
        }
        if !waiting.isEmpty {
            try score(waiting, images, requests, model, ranking, &outcome)
        }
    }

    private func score(
        _ pairs: [(image: Int, request: Int)], _ images: EncodedImageSet, _ requests: [Request],
        _ model: ALBEFModel, _ ranking: RankingScore?, _ outcome: inout Outcome
    ) throws {
        try Task.checkCancellation()
        let texts = DistinctTexts(pairs.map { requests[$0.request].texts }, encoder)
        let encoded = try encoder.texts(texts.rows, model)
        let scores = try recovering { encoder.scores(images, encoded, model) }
        let cosines: [Float] = scores.similarities.values()
        let temperature = (encoder.recall?.model ?? model).temperatureValue
        func cosine(_ image: Int, _ row: Int) -> Float {
            cosines[image * texts.rows.count + texts.firstForTowers[row]]
        }
        var place = 0
        while place < pairs.count {
            try Task.checkCancellation()
            // Take all requests for one image together, so that no pair is scored twice.
            let image = pairs[place].image
            let end = pairs[place...].firstIndex { $0.image != image } ?? pairs.count
            let rows = (place..<end).flatMap { texts.places[$0] }
            let logits = ranking == nil ? [:] : try matchLogits(image, rows, texts, scores)
            for index in place..<end {
                let rows = texts.places[index]
                let found = Scores(
                    towers: rows.map { cosine(image, $0) },
                    fusion: ranking.map { ranking in
                        rows.map { row in
                            logits[texts.firstForFusion[row]].map {
                                ranking(
                                    $0, similarity: cosine(image, row), temperature: temperature)
                            } ?? .nan
                        }
                    })
                let request = pairs[index].request
                guard (found.towers + (found.fusion ?? [])).allSatisfy(\.isFinite) else {
                    throw TrainingError.scoreNotFinite(requests[request].name)
                }
                outcome.scores[request] = found
            }
            place = end
        }
    }

    /// Returns the match logits of an image with texts, keyed by the first row with the same
    /// tokens.
    private func matchLogits(
        _ image: Int, _ rows: [Int], _ texts: DistinctTexts, _ scores: RetrievalScores
    ) throws -> [Int: MatchLogits] {
        let wanted = Set(rows.map { texts.firstForFusion[$0] }).sorted()
        var logits: [Int: MatchLogits] = [:]
        for start in stride(from: 0, to: wanted.count, by: Self.pairsAtOnce) {
            let rows = Array(wanted[start..<min(start + Self.pairsAtOnce, wanted.count)])
            let found = try recovering { try scores.matchLogits(image: image, texts: rows) }
            for (row, logit) in zip(rows, found) { logits[row] = logit }
        }
        return logits
    }

    /// The number of texts that the fusion encoder reads with an image at once.
    private static let pairsAtOnce = 64
}
