public import ImageText

/// How often a model chooses the right texts, for each kind of item and over all items.
public struct ChoiceMetrics: Sendable, Hashable {
    /// The results for the items of one kind, or a mean.
    public struct Row: Sendable, Hashable {
        /// The name of the kind; for a mean, `kinds` or `items`.
        public var name: String
        /// The number of items.
        public var items: Int
        /// The accuracy of random scores, in percent.
        public var chance: Double
        /// The accuracy of the towers.
        public var towers: MeasuredShare
        /// The accuracy of the fusion encoder; nil if it was not used.
        public var fusion: MeasuredShare?
        /// The accuracy of the fusion encoder minus that of the towers in points, computed item by
        /// item; nil if the fusion encoder was not used.
        public var gain: MeasuredShare?
    }

    /// The results of every kind, in order of first appearance.
    public let kinds: [Row]
    /// The number of items that a kind needs to count in ``meanOfKinds``.
    public let minimumKindSize: Int
    /// The unweighted mean over the kinds that count; nil if none does.
    public let meanOfKinds: Row?
    /// The mean over all items.
    public let meanOfItems: Row

    /// The number of kinds that count in ``meanOfKinds``.
    public var countedKinds: Int { kinds.count(where: counts) }

    /// Returns whether a kind has enough items to count in ``meanOfKinds``.
    public func counts(_ kind: Row) -> Bool { kind.items >= minimumKindSize }

    /// Computes metrics from outcomes.
    ///
    /// - Parameters:
    ///   - outcomes: At least one outcome, in any order.
    ///   - minimumKindSize: The number of items that a kind needs to count in the mean over kinds.
    ///     Default: 1.
    /// - Complexity: O(*n*) in the number of outcomes.
    public init(_ outcomes: [ChoiceOutcome], minimumKindSize: Int = 1) {
        var order: [String] = []
        var groups: [String: [ChoiceOutcome]] = [:]
        for outcome in outcomes {
            if groups[outcome.item.kind] == nil { order.append(outcome.item.kind) }
            groups[outcome.item.kind, default: []].append(outcome)
        }
        kinds = order.map { Self.row($0, groups[$0] ?? []) }
        self.minimumKindSize = minimumKindSize
        let counted = kinds.filter { $0.items >= minimumKindSize }
        meanOfKinds = counted.isEmpty ? nil : Self.mean(counted)
        meanOfItems = Self.row("items", outcomes)
    }

    private static func row(_ name: String, _ outcomes: [ChoiceOutcome]) -> Row {
        let towers = outcomes.map { $0.towers.isRight ? 1 : 0 }
        let fusion = outcomes.compactMap { $0.fusion.map { $0.isRight ? 1 : 0 } }
        let isRead = !fusion.isEmpty && fusion.count == towers.count
        return Row(
            name: name, items: outcomes.count,
            chance: 100 * outcomes.reduce(0) { $0 + $1.item.chance }
                / Double(max(outcomes.count, 1)),
            towers: MeasuredShare(of: towers),
            fusion: isRead ? MeasuredShare(of: fusion) : nil,
            gain: isRead ? MeasuredShare(of: zip(fusion, towers).map { $0 - $1 }) : nil)
    }

    private static func mean(_ kinds: [Row]) -> Row {
        func mean(_ shares: [MeasuredShare]) -> MeasuredShare? {
            shares.count == kinds.count ? MeasuredShare(meanOf: shares) : nil
        }
        return Row(
            name: "kinds", items: kinds.reduce(0) { $0 + $1.items },
            chance: kinds.reduce(0) { $0 + $1.chance } / Double(kinds.count),
            towers: MeasuredShare(meanOf: kinds.map(\.towers)),
            fusion: mean(kinds.compactMap(\.fusion)), gain: mean(kinds.compactMap(\.gain)))
    }
}

/// A model's scores for the texts of one item.
public struct ChoiceOutcome: Sendable, Hashable {
    /// The scores of an item's texts.
    public struct Scores: Sendable, Hashable {
        /// The scores of the texts that describe the image, in the item's order.
        public var positives: [Float]
        /// The scores of the texts that do not.
        public var negatives: [Float]

        /// Creates scores, with at least one of each kind, in the order of the item's texts.
        public init(positives: [Float], negatives: [Float]) {
            self.positives = positives
            self.negatives = negatives
        }

        /// Whether every positive scores strictly higher than every negative; false if any score is
        /// NaN.
        public var isRight: Bool {
            positives.allSatisfy { positive in negatives.allSatisfy { positive > $0 } }
        }

        /// Whether the lowest positive score equals the highest negative one, for example because
        /// the model's tokens are the same for both texts.
        public var isTied: Bool { positives.min() == negatives.max() }
    }

    /// The item.
    public var item: ChoiceItem
    /// Cosine similarities of the features.
    public var towers: Scores
    /// The fusion encoder's ranking scores; nil if it was not used.
    public var fusion: Scores?

    /// Creates an outcome from an item and its scores.
    public init(item: ChoiceItem, towers: Scores, fusion: Scores? = nil) {
        self.item = item
        self.towers = towers
        self.fusion = fusion
    }
}
