package import ALBEF
import Foundation

extension MatchCalibration {
    /// The logits of a candidate that is to match a sentence and nothing that is to be left out.
    ///
    /// Its probability is to be P · q: P that it matches the sentence, q that it is none of what is
    /// left out, which counts as independent. Probabilities of good candidates are all near 1, so the
    /// work is done in logarithms. The log-odds of P · q are those of P less what q takes away from
    /// them, and half of that is taken from "match" and added to "no match":
    ///
    ///     σ(d' / temperature + bias) = P · q
    ///
    /// A ranking score reads such logits as it reads any. So ``RankingScore/probability`` orders by
    /// P · q itself; ``RankingScore/matching``, ``RankingScore/sum`` and ``RankingScore/posterior``
    /// go on to decide between candidates from which equally much is taken, and where nothing is
    /// taken the score stays as it is, bit for bit.
    ///
    /// - Parameters:
    ///   - logits: of the sentence.
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

    /// The logarithm of the probability that a candidate matches none of some texts.
    package func logOfNoMatch(_ texts: [MatchLogits]) -> Double {
        texts.reduce(0) { $0 - softplus($1.logOdds / temperature + bias) }
    }

    /// The logarithms of the probabilities that candidates do not match a text, by how far each
    /// stands out from the middle of them.
    ///
    /// A calibrated probability is that of a caption that was written for the image. Of a word such
    /// as "leash" it is a few in a hundred for an image that does show one, and would put nothing
    /// back. Among the candidates of one query it tells enough that one is more like it than most.
    ///
    /// - Parameter logOdds: of a match with the text, up to a constant.
    package func standing(_ logOdds: [Double]) -> [Double] {
        guard !logOdds.isEmpty else { return [] }
        let middle = logOdds.sorted()[logOdds.count / 2]
        return logOdds.map { -softplus(($0 - middle) / temperature) }
    }

    /// Nothing is less probable than this, by its logarithm: scores stay finite.
    private static let least = -1e4
}

/// log(1 + e^x), without overflow.
private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
