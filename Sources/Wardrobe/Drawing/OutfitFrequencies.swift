import ImageText

/// The frequencies of colour combinations: of two colours, one order is common and its mirror rare.
///
/// White over black is common, and black over white is rare. Each colour is equally common as a top
/// and below, so that no single colour reveals the order.
public enum OutfitFrequencies {
    /// The default share of outfits in the rare order.
    public static let rareShare = 0.1
    /// The share of outfits in one colour.
    public static let plainShare = 0.08

    /// The common orders, all equally frequent.
    public static let common: [WardrobeOutfit] = {
        let colours = WardrobeColour.allCases
        var outfits: [WardrobeOutfit] = []
        for distance in 1..<colours.count {
            for (index, colour) in colours.enumerated() {
                let other = colours[(index + distance) % colours.count]
                // A tournament on a ring: the colour one to three places ahead goes below. White is
                // one place after black and should be over it, which decides the direction.
                let isCommon = distance < 4 || (distance == 4 && index < 4)
                if isCommon { outfits.append(WardrobeOutfit(top: other, trousers: colour)) }
            }
        }
        return outfits
    }()

    /// The rare orders: the mirrors of ``common``.
    public static let rare: [WardrobeOutfit] = common.map(\.mirror)

    /// Returns whether an outfit is rare.
    public static func isRare(_ outfit: WardrobeOutfit) -> Bool { rare.contains(outfit) }

    /// Draws an outfit.
    static func draw(rareShare: Double, _ random: inout SplitMix64) -> WardrobeOutfit {
        if random.chance(plainShare) {
            let colour = WardrobeColour.allCases[
                random.integer(below: WardrobeColour.allCases.count)]
            return WardrobeOutfit(top: colour, trousers: colour)
        }
        let place = random.integer(below: common.count)
        return drawsRare(rareShare, &random) ? rare[place] : common[place]
    }

    /// Draws whether an outfit in two colours has the rare order.
    ///
    /// - Parameters:
    ///   - share: the share of rare outfits among all, including those in one colour.
    ///   - random: the source of random numbers.
    static func drawsRare(_ share: Double, _ random: inout SplitMix64) -> Bool {
        random.chance(share / (1 - plainShare))
    }
}
