public import ImageText

/// The scores of two captions with two images, by which Winoground's rules are decided.
public struct PairScores: Sendable, Hashable {
    /// `values[image][caption]`, two by two.
    public var values: [[Float]]

    /// Scores, `[image][caption]`, two by two.
    public init(_ values: [[Float]]) {
        precondition(values.count == 2 && values.allSatisfy { $0.count == 2 }, "two by two scores")
        self.values = values
    }

    /// Whether each image prefers its own caption, strictly.
    public var isTextRight: Bool {
        values[0][0] > values[0][1] && values[1][1] > values[1][0]
    }

    /// Whether each caption prefers its own image, strictly.
    public var isImageRight: Bool {
        values[0][0] > values[1][0] && values[1][1] > values[0][1]
    }

    /// Whether both are.
    public var isGroupRight: Bool { isTextRight && isImageRight }
}

/// What a model makes of one pair.
public struct PairOutcome: Sendable, Hashable {
    /// The pair.
    public var item: PairItem
    /// Cosines of the features.
    public var towers: PairScores
    /// What the fusion encoder's answers are ordered by; nil where it was not asked.
    public var fusion: PairScores?

    /// A pair with its scores.
    public init(item: PairItem, towers: PairScores, fusion: PairScores? = nil) {
        self.item = item
        self.towers = towers
        self.fusion = fusion
    }
}

/// How often a model tells two images and two captions apart: of each tag, and over all.
public struct PairMetrics: Sendable, Hashable {
    /// Winoground's three scores.
    public struct Shares: Sendable, Hashable, Codable {
        /// Pairs whose images both prefer their captions.
        public var text: MeasuredShare
        /// Pairs whose captions both prefer their images.
        public var image: MeasuredShare
        /// Pairs with both.
        public var group: MeasuredShare

        init(_ scores: [PairScores]) {
            text = MeasuredShare(of: scores.map { $0.isTextRight ? 1 : 0 })
            image = MeasuredShare(of: scores.map { $0.isImageRight ? 1 : 0 })
            group = MeasuredShare(of: scores.map { $0.isGroupRight ? 1 : 0 })
        }
    }

    /// The pairs of one tag, or all.
    public struct Row: Sendable, Hashable {
        /// The tag.
        public var name: String
        /// How many pairs.
        public var items: Int
        /// What the towers get.
        public var towers: Shares
        /// What the fusion encoder gets; nil where it was not asked.
        public var fusion: Shares?
    }

    /// What scores drawn at random would get in percent: 1/4, 1/4 and 1/6.
    public static let chance = (text: 25.0, image: 25.0, group: 100.0 / 6)

    /// What pairs are told apart by; nil where none has such a tag.
    public let tag: PairItem.Tag?
    /// Every tag, by name.
    public let tags: [Row]
    /// All pairs.
    public let all: Row

    /// Counts outcomes.
    ///
    /// - Parameters:
    ///   - outcomes: in any order; at least one.
    ///   - tag: what pairs are told apart by; nil for ``PairItem/Tag/collapsed``, or, where no pair has
    ///     that, ``PairItem/Tag/detailed``.
    public init(_ outcomes: [PairOutcome], by tag: PairItem.Tag? = nil) {
        let wanted = tag.map { [$0] } ?? [.collapsed, .detailed]
        let found = wanted.first { tag in outcomes.contains { $0.item.tags[tag] != nil } }
        self.tag = found
        let groups = found.map { tag in
            Dictionary(grouping: outcomes.filter { $0.item.tags[tag] != nil }) {
                $0.item.tags[tag] ?? ""
            }
        }
        tags = (groups ?? [:]).sorted { $0.key < $1.key }.map { Self.row($0.key, $0.value) }
        all = Self.row("all", outcomes)
    }

    private static func row(_ name: String, _ outcomes: [PairOutcome]) -> Row {
        let fusion = outcomes.compactMap(\.fusion)
        return Row(
            name: name, items: outcomes.count, towers: Shares(outcomes.map(\.towers)),
            fusion: fusion.isEmpty || fusion.count < outcomes.count ? nil : Shares(fusion))
    }
}
