public import Torch

/// What candidates are re-ranked by.
public enum RankingScore: String, Sendable, Hashable, Codable, CaseIterable {
    /// The match logit alone, as the original ranks.
    case matching = "itm"
    /// The match logit plus the cosine, as LAVIS ranks.
    case sum = "itm+itc"
    /// The probability of a match, by its log-odds: they tell apart what rounds to one.
    case probability
    /// The log-odds of a match plus the cosine over the temperature.
    ///
    /// Hard negatives are drawn from the towers' own softmax q(T|I) ∝ exp(s/τ), so that what ITM
    /// learns to tell apart is p(T|I) from q(T|I) (noise-contrastive estimation): its log-odds tend
    /// to log p/q, what the towers do not know yet. Adding s/τ gives log p back, up to a constant
    /// of the query. Where the fusion encoder knows nearly everything the sum changes little; where
    /// it is weak the log-odds alone would throw away what recall knows.
    case posterior

    /// All names, for help and errors.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")

    /// The score that a dialect's evaluation uses.
    public static func standard(_ dialect: Dialect) -> RankingScore {
        [.lavis, .blip].contains(dialect) ? .sum : .matching
    }

    /// What is left of the score without the cosine: the match logit, or the log-odds of a match.
    ///
    /// That is what two models rank by unless told otherwise. What is added to the match belongs to
    /// the re-ranking model's own cosine: in LAVIS's sum its scale is the weight, and ``posterior``
    /// rests on hard negatives that the same towers drew. Asked for all the same, both take the
    /// recall model's cosine, and ``posterior`` its temperature.
    public var withoutSimilarity: RankingScore {
        switch self {
        case .matching, .sum: .matching
        case .probability, .posterior: .probability
        }
    }

    /// The score of a candidate; only differences within one query mean anything.
    ///
    /// - Parameters:
    ///   - logits: of no match and of a match.
    ///   - similarity: the cosine of the features that recall compares.
    ///   - temperature: tau (equation 3-2) of the model that they are of.
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
    /// The learned temperature tau as a number; 1 in models that do not compare features.
    public var temperatureValue: Float { temperature.map { Float($0.value.scalar()) } ?? 1 }
}

/// The two outputs of the ITM head for a pair.
public struct MatchLogits: Sendable, Hashable {
    /// For "no match".
    public let mismatch: Float
    /// For "match".
    public let match: Float

    /// The log-odds of a match.
    public var logOdds: Double { Double(match) - Double(mismatch) }

    /// Logits as the head gives them.
    public init(mismatch: Float, match: Float) {
        self.mismatch = mismatch
        self.match = match
    }

    /// Pairs of logits from `[N, 2]`, no match first.
    public static func rows(of logits: Tensor) -> [MatchLogits] {
        let flat: [Float] = logits.values()
        return stride(from: 0, to: flat.count, by: 2).map {
            MatchLogits(mismatch: flat[$0], match: flat[$0 + 1])
        }
    }
}
