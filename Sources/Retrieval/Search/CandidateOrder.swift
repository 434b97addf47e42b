import ALBEF
import Foundation
import Torch

/// Decides the order of the candidates that the fusion encoder read, and how well each matches.
///
/// The probability that is shown is P(matches the sentence) · Π (1 - P(matches a text to leave out)),
/// of calibrated probabilities. The order follows such a product too, in which a text to leave out
/// counts by whichever is higher, its calibrated probability or how far a candidate stands out; see
/// ``MatchCalibration/standing(_:)``.
struct CandidateOrder {
    /// Places of candidates that were read, best first.
    let positions: [Int]
    /// By place: what the ITM head said of the sentence.
    let logits: [Int: MatchLogits]
    /// By place: the probability that a candidate matches the sentence and nothing to leave out.
    let probabilities: [Int: Double]

    /// Orders candidates.
    ///
    /// - Parameters:
    ///   - reading: what the fusion encoder said of some of the candidates.
    ///   - candidates: what recall found, nearest first.
    ///   - towers: what the features say of those that were read; nil for a query with nothing to
    ///     leave out and no emphasis.
    ///   - ranking: nil for that of the model.
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
                    // What the towers add to the log-odds, if the score has them add something.
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
            // The cosine is that of the model that recalls, so its temperature belongs to it.
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

/// What the features say of candidates by the parts of a query that the fusion encoder does not read.
struct TowerTerms {
    /// Cosines with what is searched for, without what is to be left out and without emphasis.
    let similarities: [Float]
    /// Cosines with each text to leave out.
    let without: [[Float]]
    /// What emphasised words add to a score: for each of weight k the cosine with it over the
    /// temperature, the towers' log-probability of the word up to a constant, (k - 1) times.
    let emphasis: [Float]
    /// The logarithm of the probability that a candidate is none of the images to be unlike.
    ///
    /// Nothing tells how probable it is that people find two images alike. What stands for it is how
    /// much nearer an image is than the candidates in the middle, on the way to being the same.
    let unlike: [Double]

    /// - Parameter candidates: features `[N, E]` of what was read.
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
                // An image is like itself, whatever rounding says.
                unlike[place] += log(max(1e-6, (1 - cosine) / (1 - middle)))
            }
        }
        self.unlike = unlike
    }

    /// The similarities in standard deviations from their mean: what an image says of candidates
    /// where no sentence is read, on a scale that can be set against log-probabilities whatever the
    /// model.
    var standardScores: [Float] {
        let mean = similarities.reduce(0, +) / Float(max(1, similarities.count))
        let squares = similarities.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let deviation = (squares / Float(max(1, similarities.count))).squareRoot()
        return similarities.map { deviation > 0 ? ($0 - mean) / deviation : 0 }
    }
}
