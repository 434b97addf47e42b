public import ALBEF
public import ImageText
import SystemPackage
import Torch

/// Measures on captioned images how sure a model may be that a candidate matches.
///
/// The candidates are those of a search: for every caption, the images that the towers find most
/// alike. Those may be another model's: the logits are the same, but better towers leave harder
/// candidates, so that a calibration is best measured with the towers of the searches. The
/// captions of half of the images fit the calibration; those of the other half judge it, all
/// together and part by part.
public struct MatchCalibrator: Sendable {
    /// What was found.
    public struct Result: Sendable {
        /// The calibration.
        public let calibration: MatchCalibration
        /// Candidates that it was fitted on.
        public let fitted: Int
        /// How it does on the other candidates.
        public let all: Judgement
        /// How it does on those of each part, in the order of the parts.
        public let parts: [Judgement]
    }

    /// How a calibration does on candidates that it was not fitted on.
    public struct Judgement: Sendable {
        /// What the captions are called; nil for all.
        public let name: String?
        /// Candidates that it was judged on.
        public let judged: Int
        /// How well the softmax as it is fits them.
        public let before: MatchCalibration.Quality
        /// How well the calibration does.
        public let after: MatchCalibration.Quality
        /// The share of captions of which it would be said that nothing matches them well, though
        /// something does; nil where that is never said.
        public let missed: Double?
    }

    /// Captions of the data set that are also judged by themselves, such as those of one file.
    public struct Part: Sendable {
        /// What they are called.
        public let name: String
        fileprivate let captions: Set<Caption>

        /// Names the captions of a data set.
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

    /// What was read of one caption.
    private struct Reading {
        let caption: Caption
        let pairs: [MatchCalibration.Pair]
    }

    private let gallery: RetrievalTestSet
    private let parts: [Part]

    /// Prepares a calibration on a data set.
    ///
    /// - Parameters:
    ///   - parts: captions of it that are also judged by themselves; none by default.
    ///   - source: what errors call the data set, such as its files.
    ///   - limit: images used, the first ones; 0 for all.
    ///   - preprocessing: what the model's inputs go through.
    ///   - recall: another model, whose features find the candidates; nil for the model's own.
    /// - Throws: ``TrainingError`` if there is no image, or none with a caption.
    public init(
        _ dataset: CaptionDataset, parts: [Part] = [], source: String = "the data set",
        limit: Int = 0, preprocessing: ModelPreprocessing,
        recall: RecallModel? = nil
    ) throws(TrainingError) {
        self.parts = parts
        gallery = try RetrievalTestSet(
            dataset, source: source, limit: limit, preprocessing: preprocessing, recall: recall)
    }

    /// Reads every caption with its candidates and fits the calibration.
    ///
    /// - Parameters:
    ///   - candidates: images a caption, as many as a search re-ranks.
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
        _ scores: RetrievalScores, candidates: Int, _ progress: (Int, Int) -> Void
    ) throws -> Result? {
        let captions = gallery.captions
        let best = RetrievalScores.best(scores.similarities.transposed().contiguous(), candidates)
        // Images that are described alike are all right.
        let right = Dictionary(grouping: captions, by: \.text).mapValues { Set($0.map(\.image)) }
        var halves: [[Reading]] = [[], []]
        for (text, candidates) in best.enumerated() {
            try Task.checkCancellation()
            try TorchError.throwPending()
            let logits = try scores.matchLogits(text: text, images: candidates)
            let caption = captions[text]
            // By images: an image may have one caption in each of two languages.
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
            all: Self.judgement(nil, calibration, halves[1]),
            parts: parts.map { part in
                Self.judgement(
                    part.name, calibration, halves[1].filter { part.captions.contains($0.caption) })
            })
    }

    private static func judgement(
        _ name: String?, _ calibration: MatchCalibration, _ readings: [Reading]
    ) -> Judgement {
        let pairs = readings.flatMap(\.pairs)
        let missed = calibration.least.map { least in
            let count = readings.count { calibration.best($0.pairs) < least }
            return Double(count) / Double(max(readings.count, 1))
        }
        return Judgement(
            name: name, judged: pairs.count, before: MatchCalibration().quality(pairs),
            after: calibration.quality(pairs), missed: missed)
    }
}
