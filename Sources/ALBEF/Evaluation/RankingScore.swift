public import Torch

/// A score by which candidates are re-ranked.
public enum RankingScore: String, Sendable, Hashable, Codable, CaseIterable {
    /// The match logit alone, as in the original.
    case matching = "itm"
    /// The match logit plus the cosine, as in LAVIS.
    case sum = "itm+itc"
    /// The log-odds of a match, which order candidates as the probability does but do not round to
    /// 1.
    case probability
    /// The log-odds of a match plus the cosine over the temperature.
    ///
    /// ITM draws its hard negatives from the towers' own softmax q(T|I) ∝ exp(s/τ). It therefore
    /// learns to distinguish p(T|I) from q(T|I) (noise-contrastive estimation), and its log-odds
    /// tend to log p/q, which the towers have not learned. Adding s/τ restores log p, up to a
    /// constant of the query. The sum changes little if the fusion encoder is strong; if it is
    /// weak, the log-odds alone would discard the evidence of recall.
    case posterior

    /// All raw values, separated by commas, for help texts and errors.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// Returns the score that a dialect's own evaluation uses.
    public static func standard(_ dialect: Dialect) -> RankingScore {
        [.lavis, .blip].contains(dialect) ? .sum : .matching
    }

    /// The same score without the cosine: the match logit, or the log-odds of a match.
    ///
    /// It is the default if one model recalls and another re-ranks. The cosine that ``sum`` and
    /// ``posterior`` add is the re-ranking model's own: the weight of LAVIS's sum depends on its
    /// scale, and ``posterior`` on hard negatives that the same towers drew. If either is requested
    /// for two models, it uses the recall model's cosine, and ``posterior`` also its temperature.
    public var withoutSimilarity: RankingScore {
        switch self {
        case .matching, .sum: .matching
        case .probability, .posterior: .probability
        }
    }

    /// Returns the score of a candidate; only differences within one query are meaningful.
    ///
    /// - Parameters:
    ///   - logits: the ITM head's outputs for the pair.
    ///   - similarity: the cosine of the features that recall compares.
    ///   - temperature: tau (equation 1) of the model that computed these features.
    public func callAsFunction(
        _ logits: MatchLogits, similarity: Float, temperature: Float
    ) -> Float {
        switch self {
        case .matching: logits.match
        case .sum: logits.match + similarity
        case .probability: logits.match - logits.mismatch
        case .posterior: logits.match - logits.mismatch + similarity / temperature
        }
    }
}

extension ALBEFModel {
    /// The learned temperature tau as a number; 1 in a model that does not compare features.
    public var temperatureValue: Float { temperature.map { Float($0.value.scalar()) } ?? 1 }
}

/// The two outputs of the ITM head for a pair.
public struct MatchLogits: Sendable, Hashable {
    /// The logit of "no match".
    public let mismatch: Float
    /// The logit of "match".
    public let match: Float

    /// The log-odds of a match.
    public var logOdds: Double { Double(match) - Double(mismatch) }

    /// Creates logits from the head's two outputs.
    public init(mismatch: Float, match: Float) {
        self.mismatch = mismatch
        self.match = match
    }

    /// Returns one value per row of `[N, 2]` logits, whose first column is "no match".
    public static func rows(of logits: Tensor) -> [MatchLogits] {
        let flat: [Float] = logits.values()
        return stride(from: 0, to: flat.count, by: 2).map {
            MatchLogits(mismatch: flat[$0], match: flat[$0 + 1])
        }
    }
}
