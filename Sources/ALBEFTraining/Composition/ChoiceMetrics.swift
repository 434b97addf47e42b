public import ImageText

/// How often a model chooses the right texts: of each kind, and over all.
public struct ChoiceMetrics: Sendable, Hashable {
    /// Some items of one kind, or a mean.
    public struct Row: Sendable, Hashable {
        /// The kind; of a mean, what it is of.
        public var name: String
        /// How many items.
        public var items: Int
        /// What scores drawn at random would get, in percent.
        public var chance: Double
        /// What the towers get.
        public var towers: MeasuredShare
        /// What the fusion encoder gets; nil where it was not asked.
        public var fusion: MeasuredShare?
        /// By how many points the fusion encoder is better, item by item.
        public var gain: MeasuredShare?
    }

    /// Every kind, in order of appearance.
    public let kinds: [Row]
    /// Items that a kind needs to count in ``meanOfKinds``.
    public let minimumKindSize: Int
    /// The mean over the kinds that count, each with the same weight; nil where none does.
    public let meanOfKinds: Row?
    /// The mean over all items.
    public let meanOfItems: Row

    /// How many kinds count in ``meanOfKinds``.
    public var countedKinds: Int { kinds.count(where: counts) }

    /// Whether a kind counts in ``meanOfKinds``.
    public func counts(_ kind: Row) -> Bool { kind.items >= minimumKindSize }

    /// Counts outcomes.
    ///
    /// - Parameters:
    ///   - outcomes: in any order; at least one.
    ///   - minimumKindSize: items that a kind needs to count in the mean over kinds.
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

/// What a model makes of one item.
public struct ChoiceOutcome: Sendable, Hashable {
    /// The scores of an item's texts.
    public struct Scores: Sendable, Hashable {
        /// Of the texts that describe the image, in their order.
        public var positives: [Float]
        /// Of those that do not.
        public var negatives: [Float]

        /// Scores in the order of the texts; at least one of each.
        public init(positives: [Float], negatives: [Float]) {
            self.positives = positives
            self.negatives = negatives
        }

        /// Whether every positive is strictly above every negative; never where a score is no number.
        public var isRight: Bool {
            positives.allSatisfy { positive in negatives.allSatisfy { positive > $0 } }
        }

        /// Whether the item is wrong for no more than equal scores, as of texts that the model reads
        /// alike.
        public var isTied: Bool { positives.min() == negatives.max() }
    }

    /// The item.
    public var item: ChoiceItem
    /// Cosines of the features.
    public var towers: Scores
    /// What the fusion encoder's answers are ordered by; nil where it was not asked.
    public var fusion: Scores?

    /// An item with its scores.
    public init(item: ChoiceItem, towers: Scores, fusion: Scores? = nil) {
        self.item = item
        self.towers = towers
        self.fusion = fusion
    }
}
