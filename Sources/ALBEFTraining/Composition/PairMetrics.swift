public import ImageText

/// The scores of two captions with two images, to which Winoground's rules apply.
public struct PairScores: Sendable, Hashable {
    /// The scores `[image][caption]`, `[2, 2]`.
    public var values: [[Float]]

    /// Creates scores `[image][caption]`, which must be `[2, 2]`.
    public init(_ values: [[Float]]) {
        precondition(
            values.count == 2 && values.allSatisfy { $0.count == 2 },
            "scores must have the shape [2, 2]")
        self.values = values
    }

    /// Whether each image scores its own caption strictly higher than the other.
    public var isTextRight: Bool {
        values[0][0] > values[0][1] && values[1][1] > values[1][0]
    }

    /// Whether each caption scores its own image strictly higher than the other.
    public var isImageRight: Bool {
        values[0][0] > values[1][0] && values[1][1] > values[0][1]
    }

    /// Whether both ``isTextRight`` and ``isImageRight`` are true.
    public var isGroupRight: Bool { isTextRight && isImageRight }
}

/// A model's scores for one pair.
public struct PairOutcome: Sendable, Hashable {
    /// The pair.
    public var item: PairItem
    /// Cosine similarities of the features.
    public var towers: PairScores
    /// The fusion encoder's ranking scores; nil if it was not used.
    public var fusion: PairScores?

    /// Creates an outcome from a pair and its scores.
    public init(item: PairItem, towers: PairScores, fusion: PairScores? = nil) {
        self.item = item
        self.towers = towers
        self.fusion = fusion
    }
}

/// How often a model tells two images and two captions apart, for each tag and over all pairs.
public struct PairMetrics: Sendable, Hashable {
    /// Winoground's three scores.
    public struct Shares: Sendable, Hashable, Codable {
        /// The share of pairs in which both images prefer their own captions.
        public var text: MeasuredShare
        /// The share of pairs in which both captions prefer their own images.
        public var image: MeasuredShare
        /// The share of pairs in which both hold.
        public var group: MeasuredShare

        init(_ scores: [PairScores]) {
            text = MeasuredShare(of: scores.map { $0.isTextRight ? 1 : 0 })
            image = MeasuredShare(of: scores.map { $0.isImageRight ? 1 : 0 })
            group = MeasuredShare(of: scores.map { $0.isGroupRight ? 1 : 0 })
        }
    }

    /// The results for the pairs of one tag, or for all pairs.
    public struct Row: Sendable, Hashable {
        /// The name of the tag, or `all`.
        public var name: String
        /// The number of pairs.
        public var items: Int
        /// The scores of the towers.
        public var towers: Shares
        /// The scores of the fusion encoder; nil if it was not used.
        public var fusion: Shares?
    }

    /// The scores, in percent, that random values would reach: 1/4, 1/4 and 1/6.
    public static let chance = (text: 25.0, image: 25.0, group: 100.0 / 6)

    /// The kind of tag that pairs are grouped by; nil if no pair has such a tag.
    public let tag: PairItem.Tag?
    /// The results of each tag, sorted by name.
    public let tags: [Row]
    /// The results of all pairs.
    public let all: Row

    /// Computes metrics from outcomes.
    ///
    /// - Parameters:
    ///   - outcomes: At least one outcome, in any order.
    ///   - tag: The kind of tag to group by. Default: `PairItem.Tag.collapsed`, or
    ///     `PairItem.Tag.detailed` if no pair has a collapsed tag.
    /// - Complexity: O(*n* log *n*) in the number of outcomes.
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
