public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Fits a calibration of match probabilities on captioned images.
///
/// The candidates are those of a search: for every caption, the images that the towers find most
/// similar. Another model's towers can select them. The match logits of a pair stay the same, but
/// better towers select harder candidates, so a calibration should use the towers that searches
/// will use. The captions of half of the images fit the calibration; the captions of the other half
/// evaluate it, all together and part by part.
public struct MatchCalibrator: Sendable {
    /// A fitted calibration with its evaluation.
    public struct Result: Sendable {
        /// The calibration.
        public let calibration: MatchCalibration
        /// The number of candidates that the calibration was fitted on.
        public let fitted: Int
        /// The evaluation on all other candidates.
        public let all: Evaluation
        /// The evaluation on the other candidates of each part, in the order of the parts.
        public let parts: [Evaluation]
    }

    /// The quality of a calibration on candidates that it was not fitted on.
    public struct Evaluation: Sendable {
        /// The name of the captions' part; nil for all captions.
        public let name: String?
        /// The number of candidates in the evaluation.
        public let count: Int
        /// The fit of the uncalibrated softmax.
        public let before: MatchCalibration.Quality
        /// The fit of the calibrated probabilities.
        public let after: MatchCalibration.Quality
        /// The share of captions that the calibration would report as having no good match,
        /// although one exists; nil if the calibration never reports that.
        public let missed: Double?
    }

    /// A subset of the data set's captions that is also evaluated separately, such as those of one
    /// file.
    public struct Part: Sendable {
        /// The name of the part.
        public let name: String
        fileprivate let captions: Set<Caption>

        /// Creates a part with a name from the captions of a data set.
        public init(_ name: String, _ dataset: CaptionDataset) {
            self.name = name
            captions = Set(
                dataset.images.flatMap { image in
                    image.captions.map { Caption(image: image.path, text: $0) }
                })
        }
    }

    fileprivate struct Caption: Hashable {
        let image: FilePath
        let text: String
    }

    /// The match logits of one caption with its candidates.
    private struct Reading {
        let caption: Caption
        let pairs: [MatchCalibration.Pair]
    }

    private let gallery: RetrievalTestSet
    private let parts: [Part]

    /// Prepares a calibration on a data set.
    ///
    /// - Parameters:
    ///   - dataset: The captioned images.
    ///   - parts: Parts of the data set that are also evaluated separately. Default: none.
    ///   - source: The name of the data set in errors, such as its files.
    ///   - limit: The number of images to use, from the beginning of the data; 0 for all.
    ///   - preprocessing: The preprocessing of the model's images and texts.
    ///   - recall: Another model whose features find the candidates; nil for the model's own
    ///     features.
    /// - Throws: ``TrainingError`` if there are no images, or none of them has a caption.
    public init(
        _ dataset: CaptionDataset, parts: [Part] = [], source: String = "the data set",
        limit: Int = 0, preprocessing: ModelPreprocessing,
        recall: RecallModel? = nil
    ) throws(TrainingError) {
        self.parts = parts
        gallery = try RetrievalTestSet(
            dataset, source: source, limit: limit, preprocessing: preprocessing, recall: recall)
    }

    /// Scores every caption with its candidates and fits the calibration.
    ///
    /// - Parameters:
    ///   - model: The model to calibrate.
    ///   - candidates: The number of images per caption, as many as a search re-ranks.
    ///   - progress: Called with the number of captions done and the total.
    /// - Returns: The calibration, or nil if the candidates are all right, all wrong, or have
    ///   logits that do not distinguish right from wrong.
    /// - Throws: `ImageError` that names a file; `ALBEFError` if the model has no matching head;
    ///   `TorchError` if there is not enough memory; `CancellationError`.
    /// - Complexity: One pass of the fusion encoder per candidate of each caption, besides one pass
    ///   of a tower per image and caption.
    public func calibrate(
        _ model: ALBEFModel, candidates: Int, progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result? {
        let scores = try await gallery.scores(model)
        return try recovering { try result(scores, candidates: candidates, progress) }
    }

    private func result(
        _ scores: RetrievalScores, candidates: Int, _ progress: (Int, Int) -> Void
    ) throws -> Result? {
        let captions = gallery.captions
        let best = RetrievalScores.best(scores.similarities.transposed().contiguous(), candidates)
        // A candidate is right if any image with the same caption is.
        let right = Dictionary(grouping: captions, by: \.text).mapValues { Set($0.map(\.image)) }
        var halves: [[Reading]] = [[], []]
        for (text, candidates) in best.enumerated() {
            try Task.checkCancellation()
            try TorchError.throwPending()
            let logits = try scores.matchLogits(text: text, images: candidates)
            let caption = captions[text]
            // Split by image: the captions of one image, perhaps in two languages, stay in one
            // half.
            halves[caption.image % 2].append(
                Reading(
                    caption: Caption(image: gallery.paths[caption.image], text: caption.text),
                    pairs: zip(candidates, logits).map { image, logits in
                        .init(
                            logOdds: logits.logOdds,
                            matches: right[caption.text]?.contains(image) ?? false)
                    }))
            progress(text + 1, best.count)
        }
        let fitted = halves[0].flatMap(\.pairs)
        guard var calibration = MatchCalibration.fit(fitted) else { return nil }
        calibration.least = MatchCalibration.leastProbable(
            best: halves[0].map { calibration.best($0.pairs) })
        return Result(
            calibration: calibration, fitted: fitted.count,
            all: Self.evaluation(nil, calibration, halves[1]),
            parts: parts.map { part in
                Self.evaluation(
                    part.name, calibration, halves[1].filter { part.captions.contains($0.caption) })
            })
    }

    private static func evaluation(
        _ name: String?, _ calibration: MatchCalibration, _ readings: [Reading]
    ) -> Evaluation {
        let pairs = readings.flatMap(\.pairs)
        let missed = calibration.least.map { least in
            let count = readings.count { calibration.best($0.pairs) < least }
            return Double(count) / Double(max(readings.count, 1))
        }
        return Evaluation(
            name: name, count: pairs.count, before: MatchCalibration().quality(pairs),
            after: calibration.quality(pairs), missed: missed)
    }
}
