import Storage

/// A map from match logits to calibrated probabilities: of the candidates with probability 0.8,
/// eight in ten match.
///
/// One pair in three matches in training, but one in hundreds in a search. Networks are also
/// overconfident. Two numbers are therefore fitted on labelled candidates. The probability is
/// `σ(d / temperature + bias)` for the log-odds `d` of the ITM head. This is temperature scaling
/// (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) with Platt's bias for the
/// share of matches. It keeps the order of candidates.
public struct MatchCalibration: Sendable, Hashable, Codable {
    /// The divisor of the log-odds; above 1 if the model was overconfident.
    public var temperature: Double
    /// The number added to the scaled log-odds; below 0 if matches are rarer than in training.
    public var bias: Double
    /// The least probability of a good match: if the best candidate of a sentence is below it,
    /// nothing matches well.
    ///
    /// It is computed by ``leastProbable(best:)``. It is nil if it was not measured; then nothing
    /// is said about the quality of matches.
    public var least: Double?

    /// Creates a calibration; the default leaves the softmax as it is.
    public init(temperature: Double = 1, bias: Double = 0, least: Double? = nil) {
        self.temperature = temperature
        self.bias = bias
        self.least = least
    }

    /// Returns the probability below which nothing matches well: at most 0.5, and less if sentences
    /// that have a right answer score less.
    ///
    /// 0.5 alone would be too strict. Only the image for which a caption was written is labelled as
    /// a match, so other images that fit the caption count as mismatches. For everyday photographs
    /// a good answer may therefore have a calibrated probability of 0.2. The limit is chosen on
    /// held-out sentences that all have an answer: about one in twenty of them may fall below it.
    ///
    /// - Parameter best: for each sentence, the probability of its most probable candidate.
    /// - Returns: nil if `best` is empty or contains a value that is not finite.
    /// - Complexity: O(*n* log *n*) for *n* sentences.
    public static func leastProbable(best: [Double]) -> Double? {
        guard !best.isEmpty, best.allSatisfy(\.isFinite) else { return nil }
        return min(0.5, best.sorted()[best.count / 20])
    }

    /// Returns the calibrated probability of a match.
    public func callAsFunction(_ logits: MatchLogits) -> Double {
        probability(logits.logOdds)
    }

    private func probability(_ logOdds: Double) -> Double { sigmoid(logOdds / temperature + bias) }

    /// One labelled candidate.
    public struct Pair: Sendable, Hashable {
        /// The ITM head's log-odds of a match.
        public var logOdds: Double
        /// Whether the candidate matches.
        public var matches: Bool

        /// Creates a labelled candidate.
        public init(logOdds: Double, matches: Bool) {
            self.logOdds = logOdds
            self.matches = matches
        }
    }

    /// Returns the calibration under which labelled candidates are most likely.
    ///
    /// The loss is convex in two numbers and is minimised by Newton's method. A little weight decay
    /// keeps the solution finite if the log-odds separate the labels without error.
    ///
    /// - Parameter pairs: labelled candidates of held-out queries.
    /// - Returns: nil unless `pairs` has both matches and mismatches, all log-odds are finite, and
    ///   higher log-odds make a match more likely.
    /// - Complexity: O(*n*) for *n* pairs in each of at most 100 steps.
    public static func fit(_ pairs: [Pair]) -> MatchCalibration? {
        let matches = pairs.count { $0.matches }
        guard matches > 0, matches < pairs.count, pairs.allSatisfy(\.logOdds.isFinite) else {
            return nil
        }
        let decay = 1e-4 * Double(pairs.count)
        func loss(_ slope: Double, _ bias: Double) -> Double {
            pairs.reduce(decay * slope * slope / 2) { sum, pair in
                let z = slope * pair.logOdds + bias
                // -log σ(±z) without overflow.
                let y = pair.matches ? -z : z
                return sum + max(y, 0) + log1p(exp(-abs(y)))
            }
        }
        var (slope, bias) = (1.0, 0.0)
        for _ in 0..<100 {
            var (g0, g1, h00, h01, h11) = (decay * slope, 0.0, decay, 0.0, 1e-9)
            for pair in pairs {
                let p = sigmoid(slope * pair.logOdds + bias)
                let (error, weight) = (p - (pair.matches ? 1 : 0), p * (1 - p))
                g0 += error * pair.logOdds
                g1 += error
                h00 += weight * pair.logOdds * pair.logOdds
                h01 += weight * pair.logOdds
                h11 += weight
            }
            let determinant = h00 * h11 - h01 * h01
            guard determinant > 0 else { break }
            let step = ((h11 * g0 - h01 * g1) / determinant, (h00 * g1 - h01 * g0) / determinant)
            var rate = 1.0
            let before = loss(slope, bias)
            while rate > 1e-6, loss(slope - rate * step.0, bias - rate * step.1) > before {
                rate /= 2
            }
            slope -= rate * step.0
            bias -= rate * step.1
            if abs(step.0) + abs(step.1) < 1e-9 { break }
        }
        guard slope > 1e-6 else { return nil }
        return MatchCalibration(temperature: 1 / slope, bias: bias)
    }

    /// Returns the probability of the most probable candidate; 0 if there is no candidate.
    public func best(_ pairs: [Pair]) -> Double {
        pairs.map { probability($0.logOdds) }.max() ?? 0
    }

    /// How well probabilities fit labelled candidates.
    public struct Quality: Sendable, Hashable, Codable {
        /// Mean negative log-likelihood, in nats.
        public var loss: Double
        /// The expected calibration error: the mean difference between probability and share of
        /// matches over ten bins of equal width, weighted by their sizes.
        public var error: Double
    }

    /// Measures how well this calibration fits labelled candidates.
    ///
    /// A probability that is NaN, as of a model that diverged, counts as wholly wrong.
    public func quality(_ pairs: [Pair]) -> Quality {
        var bins = [(count: Int, probability: Double, matches: Int)](
            repeating: (0, 0, 0), count: 10)
        var loss = 0.0
        for pair in pairs {
            var p = probability(pair.logOdds)
            if p.isNaN { p = pair.matches ? 0 : 1 }
            loss -= log(max(pair.matches ? p : 1 - p, 1e-12))
            let bin = min(9, Int(p * 10))
            bins[bin].count += 1
            bins[bin].probability += p
            bins[bin].matches += pair.matches ? 1 : 0
        }
        let error = bins.reduce(0) { $0 + abs($1.probability - Double($1.matches)) }
        let count = Double(max(pairs.count, 1))
        return Quality(loss: loss / count, error: error / count)
    }
}

private func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
