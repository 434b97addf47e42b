public import ALBEF
public import ImageText
import SystemPackage

/// The box that a model chooses for a text.
public struct GroundingOutcome: Sendable, Hashable {
    /// The overlap with the true box from which a box counts as right.
    public static let leastOverlap = 0.5

    /// The text with its true box and its proposals.
    public var item: GroundingItem
    /// The chosen proposal; nil if none scored above 0, which counts as wrong.
    public var choice: BoxChoice?

    /// Creates an outcome; the choice must be one of the item's proposals.
    public init(item: GroundingItem, choice: BoxChoice?) {
        self.item = item
        self.choice = choice
    }

    /// The chosen box; nil if no proposal scored.
    public var box: BoundingBox? { choice.map { item.proposals[$0.index] } }

    /// The intersection over union of the chosen and the true box, from 0 to 1; 0 without a choice.
    public var overlap: Double { box?.intersectionOverUnion(item.box) ?? 0 }

    /// Whether the chosen box overlaps the true one enough.
    public var isRight: Bool { overlap >= Self.leastOverlap }

    /// Whether any of the proposals overlaps the true box enough, so that a choice can be right.
    public var isReachable: Bool {
        item.proposals.contains {
            $0.intersectionOverUnion(item.box) >= Self.leastOverlap
        }
    }
}

/// How often a model finds the box that a text refers to, for each split and over all texts.
public struct GroundingMetrics: Sendable, Hashable {
    /// The results for the texts of one split, or for all texts.
    public struct Row: Sendable, Hashable {
        /// The name of the split, or `all`.
        public var name: String
        /// The number of texts.
        public var texts: Int
        /// The share of texts whose chosen box is right; its standard error counts by image, because
        /// the texts of one image are not independent.
        public var right: MeasuredShare
        /// The share of texts that have a right proposal: the most that a choice can reach.
        public var reachable: MeasuredShare
        /// The number of texts for which no proposal scored; they are wrong.
        public var withoutChoice: Int
    }

    /// The results of each split that the records name, in order of first appearance.
    public let splits: [Row]
    /// The results of all texts, also of those without a split.
    public let all: Row

    /// Computes metrics from outcomes.
    ///
    /// - Parameter outcomes: At least one outcome, in any order.
    /// - Complexity: O(*n*) in the number of outcomes and proposals.
    public init(_ outcomes: [GroundingOutcome]) {
        var order: [String] = []
        var groups: [String: [GroundingOutcome]] = [:]
        for outcome in outcomes {
            guard let split = outcome.item.split else { continue }
            if groups[split] == nil { order.append(split) }
            groups[split, default: []].append(outcome)
        }
        splits = order.map { Self.row($0, groups[$0] ?? []) }
        all = Self.row("all", outcomes)
    }

    private static func row(_ name: String, _ outcomes: [GroundingOutcome]) -> Row {
        var images: [FilePath: Int] = [:]
        let groups = outcomes.map { outcome in
            let key = outcome.item.image
            let group = images[key] ?? images.count
            images[key] = group
            return group
        }
        return Row(
            name: name, texts: outcomes.count,
            right: MeasuredShare(of: outcomes.map { $0.isRight ? 1 : 0 }, groups: groups),
            reachable: MeasuredShare(of: outcomes.map { $0.isReachable ? 1 : 0 }, groups: groups),
            withoutChoice: outcomes.count { $0.choice == nil })
    }
}
