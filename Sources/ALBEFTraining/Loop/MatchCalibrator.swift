public import ALBEF
public import ImageText
import Torch

/// Measures on captioned pictures how sure a model may be that a candidate matches.
///
/// The candidates are those of a search: for every caption, the pictures that the towers find most
/// alike. Those may be another model's: the logits are the same, but better towers leave harder
/// candidates, so that a calibration is best measured with the towers of the searches. Half of the
/// captions fit the calibration, the other half judge it.
public struct MatchCalibrator: Sendable {
    /// What was found.
    public struct Result: Sendable {
        /// The calibration.
        public let calibration: MatchCalibration
        /// Candidates that it was fitted on, and candidates that it was judged on.
        public let fitted, judged: Int
        /// How well the softmax as it is fits the others.
        public let before: MatchCalibration.Quality
        /// How well the calibration does.
        public let after: MatchCalibration.Quality
    }

    private let gallery: CaptionedGallery

    /// Prepares a calibration on a data set.
    ///
    /// - Parameters:
    ///   - source: what errors call the data set, such as its files.
    ///   - limit: images used, the first ones; 0 for all.
    ///   - vision: what images become.
    ///   - text: what captions become.
    ///   - recall: another model, whose features find the candidates; nil for the model's own.
    /// - Throws: ``TrainingError`` if there is no image, or none with a caption.
    public init(
        _ dataset: CaptionDataset, source: String = "the data set", limit: Int = 0,
        vision: ALBEFConfiguration.Vision, text: TextInput, recall: RecallModel? = nil
    ) throws(TrainingError) {
        gallery = try CaptionedGallery(
            dataset, source: source, limit: limit, vision: vision, text: text, recall: recall)
    }

    /// Reads every caption with its candidates and fits the calibration.
    ///
    /// - Parameters:
    ///   - candidates: pictures a caption, as many as a search re-ranks.
    ///   - progress: told the captions done and in all.
    /// - Returns: nil if the candidates are all right, all wrong, or not told apart.
    /// - Throws: `ImageError` that names a file; ``ALBEFError`` if the model cannot match;
    ///   `TorchError` if there is not enough memory; `CancellationError`.
    public func calibrate(
        _ model: ALBEFModel, candidates: Int, progress: (Int, Int) -> Void = { _, _ in }
    ) async throws -> Result? {
        let scores = try await gallery.scores(model)
        return try recovering { try result(scores, candidates: candidates, progress) }
    }

    private func result(
        _ scores: GalleryScores, candidates: Int, _ progress: (Int, Int) -> Void
    ) throws -> Result? {
        let captions = gallery.captions
        let best = GalleryScores.best(scores.similarities.transposed().contiguous(), candidates)
        // Pictures that are described alike are all right.
        let right = Dictionary(grouping: captions, by: \.text).mapValues { Set($0.map(\.image)) }
        var halves: [[MatchCalibration.Pair]] = [[], []]
        for (text, candidates) in best.enumerated() {
            try Task.checkCancellation()
            try TorchError.throwPending()
            let logits = try scores.matchLogits(text: text, images: candidates)
            for (image, logits) in zip(candidates, logits) {
                halves[text % 2].append(
                    .init(
                        logOdds: logits.logOdds,
                        matches: right[captions[text].text]?.contains(image) ?? false))
            }
            progress(text + 1, best.count)
        }
        guard let calibration = MatchCalibration.fit(halves[0]) else { return nil }
        return Result(
            calibration: calibration, fitted: halves[0].count, judged: halves[1].count,
            before: MatchCalibration().quality(halves[1]), after: calibration.quality(halves[1]))
    }
}
