import Storage
/// Turns the match logits into a probability that means what it says: of the candidates given 0.8,
/// eight in ten match.
///
/// In training one pair in three matches, in a search one in hundreds, and networks are sure of
/// themselves. On labelled candidates two numbers are fitted: the probability is
/// `σ(d / temperature + bias)` for the log-odds `d` of the ITM head (temperature scaling, Guo et al.,
/// "On Calibration of Modern Neural Networks", ICML 2017, with Platt's bias for the share of matches).
/// The order of candidates is not changed.
public struct MatchCalibration: Sendable, Hashable, Codable {
    /// What log-odds are divided by; above 1 if the model was too sure.
    public var temperature: Double
    /// What is added: below 0 if matches are rarer than in training.
    public var bias: Double
    /// The probability below which the best candidate of a sentence means that nothing matches well;
    /// nil where that was not measured, and then nothing is claimed.
    ///
    /// It is decided by ``leastProbable(best:)``.
    public var least: Double?

    /// A calibration; by default that of the softmax as it is.
    public init(temperature: Double = 1, bias: Double = 0, least: Double? = nil) {
        self.temperature = temperature
        self.bias = bias
        self.least = least
    }

    /// Where "nothing matches well" begins: at 0.5, or lower where sentences that have a right answer
    /// go lower.
    ///
    /// 0.5 alone would not do. A pair is labelled as a match where the caption was written for the
    /// image, so that other images which it fits as well count against it: of everyday photos a good
    /// answer may have a calibrated probability of 0.2. So the best candidates of held-out sentences,
    /// all of which do have an answer, decide: of twenty such sentences, one is said to match
    /// nothing well.
    ///
    /// - Parameter best: for each sentence the probability of its most probable candidate.
    /// - Returns: nil without a sentence, or with what is not a number.
    public static func leastProbable(best: [Double]) -> Double? {
        guard !best.isEmpty, best.allSatisfy(\.isFinite) else { return nil }
        return min(0.5, best.sorted()[best.count / 20])
    }

    /// The probability of a match.
    public func callAsFunction(_ logits: MatchLogits) -> Double {
        probability(logits.logOdds)
    }

    private func probability(_ logOdds: Double) -> Double { sigmoid(logOdds / temperature + bias) }

    /// One labelled candidate.
    public struct Pair: Sendable, Hashable {
        /// The ITM head's log-odds of a match.
        public var logOdds: Double
        /// Whether it does match.
        public var matches: Bool

        /// A labelled candidate.
        public init(logOdds: Double, matches: Bool) {
            self.logOdds = logOdds
            self.matches = matches
        }
    }

    /// Finds the calibration under which labelled candidates are most likely.
    ///
    /// Newton's method on a convex loss in two numbers; a trace of weight decay keeps it finite
    /// where the labels can be told apart without error.
    ///
    /// - Returns: nil unless there are both matches and others, and all log-odds are finite and tell
    ///   something.
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

    /// The probability of the most probable of some candidates; 0 without any.
    public func best(_ pairs: [Pair]) -> Double {
        pairs.map { probability($0.logOdds) }.max() ?? 0
    }

    /// How well probabilities fit labelled candidates.
    public struct Quality: Sendable, Hashable, Codable {
        /// Mean negative log-likelihood, in nats.
        public var loss: Double
        /// Expected calibration error over ten bins of equal width: by how much, on average, the
        /// share of matches differs from the probability.
        public var error: Double
    }

    /// How well this calibration fits labelled candidates.
    ///
    /// A probability that is not a number, as of a model that diverged, counts as wholly wrong.
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
