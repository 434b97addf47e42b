import ALBEFTraining
import ImageText
import SystemPackage
import Testing

@Suite("Counting choices")
struct ChoiceMetricsTests {
    private func outcome(
        _ kind: String, towers: ([Float], [Float]), fusion: ([Float], [Float])? = nil
    ) -> ChoiceOutcome {
        ChoiceOutcome(
            item: ChoiceItem(
                image: "a.jpg", positives: towers.0.map { "\($0)" },
                negatives: towers.1.map { "\($0)" }, kind: kind),
            towers: .init(positives: towers.0, negatives: towers.1),
            fusion: fusion.map { .init(positives: $0.0, negatives: $0.1) })
    }

    @Test(
        "Every positive has to be strictly above every negative",
        arguments: [
            ([0.2], [0.1], true, false), ([0.1], [0.2], false, false), ([0.1], [0.1], false, true),
            ([0.3, 0.2], [0.1, 0.15], true, false), ([0.3, 0.1], [0.1], false, true),
            ([0.3, 0.05], [0.1], false, false), ([.nan], [0.1], false, false),
            ([0.1], [.nan], false, false), ([-0.1], [-0.2, -0.3, -0.11], true, false),
        ] as [([Float], [Float], Bool, Bool)])
    func strict(positives: [Float], negatives: [Float], isRight: Bool, isTied: Bool) {
        let scores = ChoiceOutcome.Scores(positives: positives, negatives: negatives)
        #expect(scores.isRight == isRight && scores.isTied == isTied)
    }

    @Test("Kinds, their means and their errors, by hand")
    func means() throws {
        let right: ([Float], [Float]) = ([2], [1])
        let wrong: ([Float], [Float]) = ([1], [2])
        let five: ([Float], [Float]) = ([9], [1, 2, 3, 4])
        let metrics = ChoiceMetrics(
            [
                outcome("b", towers: right, fusion: right),
                outcome("a", towers: wrong, fusion: right),
                outcome("b", towers: wrong, fusion: right),
                outcome("b", towers: right, fusion: right),
                outcome("b", towers: right, fusion: wrong),
                outcome("a", towers: five, fusion: five),
                outcome("rare", towers: wrong, fusion: wrong),
            ], minimumKindSize: 2)
        #expect(metrics.kinds.map(\.name) == ["b", "a", "rare"])
        #expect(metrics.kinds.map(\.items) == [4, 2, 1])
        let b = metrics.kinds[0]
        #expect(b.chance == 50 && b.towers.percent == 75 && b.fusion?.percent == 75)
        // √(0.75 · 0.25 / 4)
        #expect(abs(b.towers.standardError - 21.6506) < 1e-3)
        // Item by item +0, +1, +0, -1: the mean is 0, the mean square 1/2, over 4 items.
        let gain = try #require(b.gain)
        #expect(gain.percent == 0 && abs(gain.standardError - 35.3553) < 1e-3)
        #expect(metrics.kinds[1].chance == 35)

        #expect(metrics.countedKinds == 2)
        let kinds = try #require(metrics.meanOfKinds)
        #expect(kinds.items == 6 && kinds.towers.percent == 62.5 && kinds.fusion?.percent == 87.5)
        // Half the root of 21.65² + 35.36².
        #expect(abs(kinds.towers.standardError - 20.7289) < 1e-3)
        #expect(kinds.gain?.percent == 25)

        let items = metrics.meanOfItems
        #expect(items.items == 7)
        #expect(abs(items.towers.percent - 400.0 / 7) < 1e-9)
        #expect(abs((items.fusion?.percent ?? 0) - 500.0 / 7) < 1e-9)
        #expect(abs(items.chance - (6 * 50 + 20) / 7.0) < 1e-9)
        #expect(ChoiceMetrics([outcome("a", towers: right)], minimumKindSize: 2).meanOfKinds == nil)
    }

    @Test("Without a fusion encoder there is nothing to gain")
    func towersAlone() {
        let metrics = ChoiceMetrics([
            outcome("a", towers: ([2], [1])), outcome("b", towers: ([1], [2])),
        ])
        #expect(metrics.meanOfItems.fusion == nil && metrics.meanOfItems.gain == nil)
        #expect(metrics.meanOfKinds?.fusion == nil && metrics.meanOfKinds?.towers.percent == 50)
    }

    @Test(
        "Winoground's rules on matrices by image and caption",
        arguments: [
            // Each image and each caption prefers its own.
            ([[2, 1], [1, 2]], true, true, true),
            // Image 1 is bright: both captions prefer it.
            ([[2, 1], [5, 6]], true, false, false),
            // Caption 1 is likely: both images prefer it.
            ([[2, 5], [1, 6]], false, true, false),
            ([[1, 2], [2, 1]], false, false, false),
            // Equal scores are wrong, wherever they stand.
            ([[2, 2], [1, 3]], false, true, false), ([[2, 1], [3, 3]], false, false, false),
            ([[2, 1], [2, 3]], true, false, false), ([[3, 2], [1, 2]], true, false, false),
            ([[1, 1], [1, 1]], false, false, false), ([[.nan, 1], [1, 2]], false, false, false),
        ] as [([[Float]], Bool, Bool, Bool)])
    func winoground(scores: [[Float]], text: Bool, image: Bool, group: Bool) {
        let scores = PairScores(scores)
        #expect(scores.isTextRight == text)
        #expect(scores.isImageRight == image)
        #expect(scores.isGroupRight == group)
    }

    @Test("Random scores get Winoground's chance")
    func chance() {
        var random = SystemRandomNumberGenerator()
        var counts = [0, 0, 0]
        let trials = 40_000
        for _ in 0..<trials {
            let scores = PairScores(
                (0..<2).map { _ in (0..<2).map { _ in Float.random(in: 0..<1, using: &random) } })
            counts[0] += scores.isTextRight ? 1 : 0
            counts[1] += scores.isImageRight ? 1 : 0
            counts[2] += scores.isGroupRight ? 1 : 0
        }
        let chance = PairMetrics.chance
        for (count, expected) in zip(counts, [chance.text, chance.image, chance.group]) {
            // Seven standard errors.
            #expect(abs(100 * Double(count) / Double(trials) - expected) < 1.6)
        }
    }

    @Test("Pairs are told apart by their tags")
    func tags() {
        func outcome(_ tags: [PairItem.Tag: String], _ isRight: Bool) -> PairOutcome {
            PairOutcome(
                item: PairItem(id: "", images: ["a", "b"], captions: ["c", "d"], tags: tags),
                towers: PairScores(isRight ? [[2, 1], [1, 2]] : [[1, 2], [2, 1]]))
        }
        let outcomes = [
            outcome([.collapsed: "Object", .detailed: "Noun"], true),
            outcome([.collapsed: "Relation", .mainPredicates: "2"], false),
            outcome([.collapsed: "Object", .detailed: "Adjective"], false), outcome([:], true),
        ]
        let metrics = PairMetrics(outcomes)
        #expect(metrics.tag == .collapsed)
        #expect(metrics.tags.map(\.name) == ["Object", "Relation"])
        #expect(metrics.tags.map(\.items) == [2, 1])
        #expect(metrics.tags.map(\.towers.group.percent) == [50, 0])
        #expect(metrics.all.items == 4 && metrics.all.towers.text.percent == 50)
        #expect(metrics.all.towers.text.standardError == 25)
        #expect(metrics.all.fusion == nil)

        #expect(
            PairMetrics(outcomes, by: .detailed).tags.map(\.name) == ["Adjective", "Noun"])
        #expect(PairMetrics(outcomes, by: .mainPredicates).tags.map(\.items) == [1])
        #expect(PairMetrics(outcomes, by: .secondary).tags.isEmpty)
        // Where a file has `tag` alone, that is it.
        #expect(PairMetrics([outcome([.detailed: "x"], true)]).tag == .detailed)
    }
}
