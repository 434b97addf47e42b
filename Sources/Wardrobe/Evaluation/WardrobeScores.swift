import ImageText

/// What a model achieves on the Wardrobe benchmark, in one language and at one stage.
public struct WardrobeScores: Sendable, Hashable, Codable {
    /// Share of captions preferred to the same with two colours exchanged; chance is 1/2.
    public var swap: Double
    /// The same by what is exchanged: top and trousers of a common outfit, of a rare one, the tops
    /// of two neighbours.
    public var swapCommon, swapRare, swapNeighbours: Double
    /// Share of right scenes among the first, and the first ten, for rare outfits.
    public var rareAt1, rareAt10: Double
    /// Share of exact mirrors among the first ten for rare outfits.
    public var mirroredAt10: Double
    /// Share of right scenes among the first, and the first ten, for small things.
    public var smallAt1, smallAt10: Double
    /// Share of whole captions that find their scene first, among five, among ten.
    public var allAt1, allAt5, allAt10: Double

    enum CodingKeys: String, CodingKey {
        case swap
        case swapCommon = "swap_common"
        case swapRare = "swap_rare"
        case swapNeighbours = "swap_neighbours"
        case rareAt1 = "rare_p1"
        case rareAt10 = "rare_p10"
        case mirroredAt10 = "rare_mirrored10"
        case smallAt1 = "small_p1"
        case smallAt10 = "small_p10"
        case allAt1 = "all_r1"
        case allAt5 = "all_r5"
        case allAt10 = "all_r10"
    }
}

/// The order that scenes come in.
public enum WardrobeStage: Sendable, Hashable {
    /// By the two towers alone.
    case towers
    /// The towers' best `k`, re-ranked by the fusion encoder.
    case reranked(Int)
    /// Every scene, read by the fusion encoder: for models without towers to recall by.
    case exhaustive

    /// What tables call it.
    public var name: String {
        switch self {
        case .towers: "towers"
        case .reranked(let depth): "top \(depth)"
        case .exhaustive: "all"
        }
    }
}

/// The scores of one stage.
public struct WardrobeRow: Sendable, Hashable, Codable {
    /// The language of queries and captions.
    public var language: WardrobeLanguage
    /// How scenes were ordered: `towers`, `top 16`, `all`.
    public var stage: String
    /// What came of it.
    public var scores: WardrobeScores
}
