import ALBEF
import ImageText
import SystemPackage
import Torch

/// Scores images with texts of their own, by the towers and by the fusion encoder.
///
/// Each image, or part of one, is encoded once, however many requests name it, and what is encoded is
/// kept for no longer than its requests need it.
struct TextScorer: Sendable {
    /// An image, or a part of it, and the texts to compare with it.
    struct Request: Sendable {
        let image: FilePath
        var box: CropBox?
        let texts: [String]
        /// What errors call it.
        let name: String
    }

    /// The scores of a request's texts, in their order.
    struct Scores: Sendable {
        /// Cosines of the features.
        var towers: [Float]
        /// What the fusion encoder's answers are ordered by; nil where it was not asked.
        var fusion: [Float]?
    }

    /// What came of all requests.
    struct Outcome: Sendable {
        /// In the order of the requests; nil where the image cannot be read.
        var scores: [Scores?]
        /// Images that cannot be read, each once.
        var unreadable: [ImageError] = []
        /// How many images, or parts of images, were encoded.
        var images = 0
    }

    private let encoder: EvaluationEncoder
    private let loader: ImageLoader
    /// A reduced JPEG would have other coordinates than its box.
    private let wholeLoader = ImageLoader()

    /// - Parameters:
    ///   - preprocessing: what the model's inputs go through.
    ///   - recall: what the features are of, where that is another model.
    init(preprocessing: ModelPreprocessing, recall: RecallModel?) {
        encoder = EvaluationEncoder(preprocessing: preprocessing, recall: recall)
        loader = ImageLoader(
            targetSide: max(preprocessing.image.side, recall?.preprocessing.image.side ?? 0))
    }

    /// Scores all requests.
    ///
    /// - Parameters:
    ///   - ranking: what the fusion encoder's answers are ordered by; nil for the towers alone.
    ///   - skipsUnreadable: whether images that cannot be read are left out.
    ///   - progress: told the images done and in all.
    /// - Throws: `ImageError` that names a file; ``TrainingError`` where a score is not finite;
    ///   `ALBEFError` where the model has no such head; `TorchError`; `CancellationError`.
    /// - Complexity: one pass of the image encoder for each image, one of the text encoder for each
    ///   text of a request, one of the fusion encoder for each pair. Memory is that of 64 images and
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

    /// Reads images in parallel, those of one file once for all its parts that follow each other.
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

    /// Scores the requests of encoded images, the texts of some requests at once.
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
            // All requests about one image, so that a pair is read once.
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

    /// The match logits of an image with texts, by the first row that the model reads alike.
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

    /// Texts that the fusion encoder reads with an image at once.
    private static let pairsAtOnce = 64
}
