import ImageText

/// How often colours meet: of every two, one order is common and its mirror is rare.
///
/// White over black is common, black over white rare. Each colour is common as a top as often as
/// below, so that no colour alone tells which order is meant.
public enum OutfitFrequencies {
    /// Share of outfits whose order is the rare one, unless settings say otherwise.
    public static let rareShare = 0.1
    /// Share of outfits in one colour.
    public static let plainShare = 0.08

    /// The common orders, all equally frequent.
    public static let common: [WardrobeOutfit] = {
        let colours = WardrobeColour.allCases
        var outfits: [WardrobeOutfit] = []
        for distance in 1..<colours.count {
            for (index, colour) in colours.enumerated() {
                let other = colours[(index + distance) % colours.count]
                // A tournament on a ring: who is one to three places ahead goes below. White, one
                // place after black, is to be over it, hence the direction.
                let isCommon = distance < 4 || (distance == 4 && index < 4)
                if isCommon { outfits.append(WardrobeOutfit(top: other, trousers: colour)) }
            }
        }
        return outfits
    }()

    /// The rare orders: the mirrors of ``common``.
    public static let rare: [WardrobeOutfit] = common.map(\.mirror)

    /// Whether an outfit is rare.
    public static func isRare(_ outfit: WardrobeOutfit) -> Bool { rare.contains(outfit) }

    /// Draws a top and what is below.
    static func draw(rareShare: Double, _ random: inout SplitMix64) -> WardrobeOutfit {
        if random.chance(plainShare) {
            let colour = WardrobeColour.allCases[
                random.integer(below: WardrobeColour.allCases.count)]
            return WardrobeOutfit(top: colour, trousers: colour)
        }
        let place = random.integer(below: common.count)
        return drawsRare(rareShare, &random) ? rare[place] : common[place]
    }

    /// Whether an outfit in two colours gets them the rare way round.
    ///
    /// - Parameter share: that of all outfits, those in one colour included.
    static func drawsRare(_ share: Double, _ random: inout SplitMix64) -> Bool {
        random.chance(share / (1 - plainShare))
    }
}
