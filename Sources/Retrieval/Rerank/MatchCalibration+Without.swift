package import ALBEF
import Foundation

extension MatchCalibration {
    /// Returns the logits of a candidate that should match a sentence but none of the excluded
    /// texts.
    ///
    /// The probability to reach is P · q, where P is the probability that the candidate matches the
    /// sentence, and q the probability that it matches nothing excluded, assumed independent. The
    /// probabilities of good candidates are all near 1, so the computation uses logarithms. The
    /// difference between the log-odds of P and those of P · q is split evenly: one half is
    /// subtracted from "match", the other is added to "no match":
    ///
    ///     σ(d' / temperature + bias) = P · q
    ///
    /// Every ranking score can use these logits. `RankingScore.probability` then orders by P · q
    /// itself. `RankingScore.matching`, `RankingScore.sum` and `RankingScore.posterior` still
    /// distinguish candidates with equal q, and if q is 1 the score is unchanged, bit for bit.
    ///
    /// - Parameters:
    ///   - logits: The logits of the sentence.
    ///   - logarithm: log q, 0 or less.
    package func logits(_ logits: MatchLogits, lessProbableBy logarithm: Double) -> MatchLogits {
        guard logarithm < 0 else { return logits }
        let scaled = logits.logOdds / temperature + bias
        let all = -softplus(-scaled) + max(logarithm, Self.least)
        // log(p / (1 - p)) for p = e^all.
        let lowered = min(scaled, all - log(-expm1(all)))
        let taken = (scaled - lowered) * temperature / 2
        return MatchLogits(
            mismatch: Float(Double(logits.mismatch) + taken),
            match: Float(Double(logits.match) - taken))
    }

    /// Returns the logarithm of the probability that a candidate matches none of some texts.
    package func logOfNoMatch(_ texts: [MatchLogits]) -> Double {
        texts.reduce(0) { $0 - softplus($1.logOdds / temperature + bias) }
    }

    /// Returns the logarithms of the probabilities that candidates do not match a text, by
    /// how far each stands out from their median.
    ///
    /// A calibrated probability refers to a caption that was written for the image. For a single
    /// word such as "leash" it is a few percent even if the image shows a leash, so it would
    /// exclude nothing. Among the candidates of one query, it suffices that a candidate fits the
    /// word better than most.
    ///
    /// - Parameter logOdds: The log-odds of a match with the text, up to a constant.
    package func standing(_ logOdds: [Double]) -> [Double] {
        guard !logOdds.isEmpty else { return [] }
        let middle = logOdds.sorted()[logOdds.count / 2]
        return logOdds.map { -softplus(($0 - middle) / temperature) }
    }

    /// The smallest log-probability, which keeps scores finite.
    private static let least = -1e4
}

/// Returns log(1 + e^x) without overflow.
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
