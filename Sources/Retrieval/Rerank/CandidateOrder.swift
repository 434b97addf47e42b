import ALBEF
import Foundation
import Torch

/// Determines the order of the candidates that the fusion encoder read, and their match
/// probabilities.
///
/// The displayed probability is P(matches the sentence) · Π (1 - P(matches an excluded text)),
/// computed from calibrated probabilities. The order follows a similar product, in which an
/// excluded text counts by the larger of two values: its calibrated probability, or how far a
/// candidate stands out from the others; see `MatchCalibration.standing(_:)`.
struct CandidateOrder {
    /// The positions of the candidates that were read, best first.
    let positions: [Int]
    /// The logits of the sentence, by position.
    let logits: [Int: MatchLogits]
    /// The probability that a candidate matches the sentence and no excluded text, by position.
    let probabilities: [Int: Double]

    /// Orders candidates.
    ///
    /// - Parameters:
    ///   - reading: The fusion encoder's logits for some of the candidates.
    ///   - candidates: The candidates of recall, nearest first.
    ///   - towers: The scores of the candidates' features; nil for a query without exclusions and
    ///     emphasis.
    ///   - model: The model that searches.
    ///   - ranking: The score that orders candidates; nil for the model's own.
    init(
        _ reading: CandidateReader.Reading, of candidates: [Candidate], _ towers: TowerTerms?,
        _ model: SearchModel, _ ranking: RankingScore?
    ) {
        let calibration = model.calibration
        let left = reading.positions.indices.map { place in
            calibration.logOfNoMatch(reading.without.map { $0[place] })
        }
        let temperature = model.featureModel.model.temperatureValue
        let standard = reading.logits.isEmpty ? towers?.standardScores : nil
        let ranking = ranking ?? model.ranking
        let standing = zip(reading.without, towers?.without ?? []).map { logits, cosines in
            calibration.standing(
                zip(logits, cosines).map { logits, cosine in
                    // The share of the score that the towers contribute to the log-odds, if any.
                    let share =
                        ranking(logits, similarity: cosine, temperature: temperature)
                        - ranking(logits, similarity: 0, temperature: temperature)
                    return logits.logOdds + Double(share)
                })
        }
        func key(_ place: Int) -> Float {
            let texts = zip(reading.without, standing).reduce(0) { sum, text in
                sum + min(calibration.logOfNoMatch([text.0[place]]), text.1[place])
            }
            let taken = texts + (towers?.unlike[place] ?? 0)
            guard !reading.logits.isEmpty else { return (standard?[place] ?? 0) + Float(taken) }
            let lowered = calibration.logits(reading.logits[place], lessProbableBy: taken)
            // The cosine comes from the model that recalls, so that model's temperature applies.
            let score = ranking(
                lowered,
                similarity: towers?.similarities[place]
                    ?? candidates[reading.positions[place]].similarity,
                temperature: temperature)
            return towers.map { score + $0.emphasis[place] } ?? score
        }
        let keys = reading.positions.indices.map(key)
        positions = reading.positions.indices.sorted { a, b in
            keys[a] == keys[b] ? a < b : keys[a] > keys[b]
        }.map { reading.positions[$0] }
        let pairs = zip(reading.positions, reading.logits)
        logits = Dictionary(uniqueKeysWithValues: pairs.map { ($0, $1) })
        probabilities = Dictionary(
            uniqueKeysWithValues: pairs.enumerated().map { place, pair in
                let all = calibration.logits(pair.1, lessProbableBy: left[place])
                return (pair.0, calibration(all))
            })
    }
}

/// Scores of candidates from their features, for the parts of a query that the fusion encoder does
/// not read.
struct TowerTerms {
    /// The cosines with the positive parts of the query, without exclusions and emphasis.
    let similarities: [Float]
    /// The cosines with each excluded text.
    let without: [[Float]]
    /// The contribution of emphasised words to the score.
    ///
    /// A word of weight k contributes (k - 1) times its cosine over the temperature, which is the
    /// towers' log-probability of the word up to a constant.
    let emphasis: [Float]
    /// The logarithm of the probability that a candidate is unlike all excluded images.
    ///
    /// No model predicts whether people find two images alike. Instead, this measures how much
    /// nearer an image is than the median candidate, relative to an identical image.
    let unlike: [Double]

    /// Computes the scores.
    ///
    /// - Parameters:
    ///   - query: The features of the query.
    ///   - candidates: The features `[N, E]` of the candidates that were read.
    ///   - temperature: The temperature of the model that computed the features.
    init(_ query: QueryFeatures, _ candidates: Tensor, temperature: Float) throws {
        func cosines(_ feature: Tensor) -> [Float] {
            candidates.matmul(feature.to(.cpu).to(.float32)).values()
        }
        similarities = cosines(try query.positive())
        without = query.without.map(cosines)
        var emphasis = similarities.map { _ in Float(0) }
        for (word, weight) in query.emphasis {
            for (place, cosine) in cosines(word).enumerated() {
                emphasis[place] += Float(weight - 1) * cosine / temperature
            }
        }
        self.emphasis = emphasis
        var unlike = similarities.map { _ in 0.0 }
        for image in query.unlike {
            let cosines = cosines(image).map(Double.init)
            let middle = cosines.sorted()[cosines.count / 2]
            for (place, cosine) in cosines.enumerated() where cosine > middle {
                // The probability never becomes 0, even if rounding makes an image identical to
                // itself.
                unlike[place] += log(max(1e-6, (1 - cosine) / (1 - middle)))
            }
        }
        self.unlike = unlike
    }

    /// The similarities in standard deviations from their mean.
    ///
    /// They score candidates for images if no sentence is read, on a scale that can be compared
    /// with log-probabilities for any model.
    var standardScores: [Float] {
        let mean = similarities.reduce(0, +) / Float(max(1, similarities.count))
        let squares = similarities.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = (squares / Float(max(1, similarities.count))).squareRoot()
        return similarities.map { deviation > 0 ? ($0 - mean) / deviation : 0 }
    }
}
