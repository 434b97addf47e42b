import ImageText
public import Wardrobe

/// The scores of a model on the Wardrobe benchmark, in one language and at one stage.
public struct WardrobeScores: Sendable, Hashable, Codable {
    /// The share of true captions preferred to the false ones of `swap`; chance is 1/2.
    public var swap: Double
    /// The same share by kind of exchange: top and trousers of a common outfit, those of a rare
    /// one, and the tops of two neighbours.
    public var swapCommon, swapRare, swapNeighbours: Double
    /// The share of right scenes among the first result and the first ten, for rare outfits.
    public var rareAt1, rareAt10: Double
    /// The share of exact mirrors among the first ten results, for rare outfits.
    public var mirroredAt10: Double
    /// The share of right scenes among the first result and the first ten, for small things.
    public var smallAt1, smallAt10: Double
    /// The share of whole captions with their scene among the first result, five and ten.
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

/// A stage of search, which determines the order of scenes.
public enum WardrobeStage: Sendable, Hashable {
    /// The order of the two towers alone.
    case towers
    /// The order of the towers, whose best `k` scenes the fusion encoder re-ranks.
    case reranked(Int)
    /// The order of the fusion encoder for all scenes, for models without towers for recall.
    case exhaustive

    /// The name in tables.
    public var name: String {
        switch self {
        case .towers: "towers"
        case .reranked(let depth): "top \(depth)"
        case .exhaustive: "all"
        }
    }
}

/// The scores of one language at one stage.
public struct WardrobeRow: Sendable, Hashable, Codable {
    /// The language of queries and captions.
    public var language: WardrobeLanguage
    /// The name of the stage, such as `towers`, `top 16` or `all`.
    public var stage: String
    /// The scores.
    public var scores: WardrobeScores
}
