import ALBEF
import Testing
import Torch

@Suite("Hard negatives")
struct HardNegativesTests {
    private func diagonal(_ count: Int) -> Tensor {
        let rows = Tensor.arange(0..<count)
        return rows.unsqueezed(1).isEqual(to: rows)
    }

    private func rows(_ tensor: Tensor) -> [[Double]] {
        (0..<tensor.size(0)).map { tensor[$0].values() }
    }

    /// The fallback weights of every row: equal for all others.
    private func uniform(_ count: Int) -> [[Double]] {
        (0..<count).map { row in (0..<count).map { $0 == row ? 0 : 1 } }
    }

    @Test(
        "Negatives are never the pair itself, however large the similarities",
        arguments: [true, false], [1, 30, 1e4])
    func neverThePair(isFaithful: Bool, scale: Double) throws {
        let count = 6
        let generator = try Generator(seed: 4)
        for turn in 0..<20 {
            let noise = Tensor.normal([count, count], generator: generator)
            // Signs alone at the largest scale: +-1e4 in every arrangement.
            let scores =
                scale == 1e4 ? (noise / noise.abs()) * scale : noise * scale
            let weights = HardNegatives.weights(
                scores, excluded: diagonal(count), isFaithful: isFaithful)
            for (row, values) in rows(weights).enumerated() {
                #expect(values[row] == 0)
                #expect(values.allSatisfy { $0.isFinite && $0 >= 0 })
                #expect(values.reduce(0, +) > 0)
            }
            let choices = GeneratedChoices(generator: try Generator(seed: UInt64(turn)))
            for drawn in [choices.images(weights), choices.texts(weights)] {
                let indices: [Int] = drawn.values()
                #expect(indices.count == count)
                #expect(indices.enumerated().allSatisfy { $0 != $1 && (0..<count).contains($1) })
            }
        }
    }

    @Test(
        "Negatives are uniform over the others if a row has no usable weight",
        arguments: [true, false])
    func fallback(isFaithful: Bool) throws {
        let scores = Tensor.normal([4, 4], generator: try Generator(seed: 1))
        let all = Tensor.ones([4, 4]).isEqual(to: 1)
        #expect(
            rows(HardNegatives.weights(scores, excluded: all, isFaithful: isFaithful))
                == uniform(4))

        // A pair so sure of itself that the softmax leaves the others no weight at all.
        let sure = diagonal(4).to(.float32) * 2e4 - 1e4
        let weights = rows(
            HardNegatives.weights(sure, excluded: diagonal(4), isFaithful: isFaithful))
        let share = isFaithful ? 1 : Double(Float(1) / 3)
        for (found, expected) in zip(weights, uniform(4)) {
            for (value, other) in zip(found, expected) {
                #expect(abs(value - other * share) < 1e-6)
            }
        }
    }

    @Test("Negatives are uniform over the others in a NaN row", arguments: [true, false])
    func notANumber(isFaithful: Bool) throws {
        var scores = Tensor.normal([4, 4], generator: try Generator(seed: 1))
        let sound = rows(
            HardNegatives.weights(scores, excluded: diagonal(4), isFaithful: isFaithful))
        scores[1] = .full([4], .nan)
        scores[2, 0] = .full([], .infinity)
        let weights = rows(
            HardNegatives.weights(scores, excluded: diagonal(4), isFaithful: isFaithful))
        #expect(weights[1] == uniform(4)[1] && weights[2] == uniform(4)[2])
        #expect(weights[0] == sound[0] && weights[3] == sound[3])
    }

    @Test("Weights have the same proportions with exclusion before and after the softmax")
    func proportions() throws {
        let generator = try Generator(seed: 8)
        let ids = Tensor([1, 2, 2, 3, 1, 4])
        for excluded in [diagonal(6), ids.unsqueezed(1).isEqual(to: ids)] {
            let scores = Tensor.normal([6, 6], generator: generator) * 3
            let weights = [true, false].map {
                HardNegatives.weights(scores, excluded: excluded, isFaithful: $0)
            }
            let shares = weights.map { $0 / $0.sum(1, keepingDimensions: true) }
            #expect(shares[0].isClose(to: shares[1], relative: 1e-4, absolute: 1e-6))
            let plain = scores.exp() * excluded.isEqual(to: 0).to(.float32)
            let expected = plain / plain.sum(1, keepingDimensions: true)
            #expect(shares[1].isClose(to: expected, relative: 1e-4, absolute: 1e-6))
            #expect((weights[1] * excluded.to(.float32)).sum().scalar() == 0)
        }
    }

    @Test("Hardness 0 draws uniformly, and higher hardness follows the similarities")
    func hardness() throws {
        let scores = Tensor.normal([5, 5], generator: try Generator(seed: 3)) * 4
        func weights(_ scores: Tensor, _ hardness: Double) -> [[Double]] {
            rows(
                HardNegatives.weights(
                    scores, hardness: hardness, excluded: diagonal(5), isFaithful: false))
        }
        for (found, expected) in zip(weights(scores, 0).joined(), uniform(5).joined()) {
            #expect(abs(found - expected / 4) < 1e-6)
        }
        for (found, expected) in zip(
            weights(scores, 0.5).joined(), weights(scores * 0.5, 1).joined())
        {
            #expect(abs(found - expected) < 1e-6)
        }
        #expect(weights(scores, 1) != weights(scores, 0.5))
    }

    @Test("Negatives are drawn in proportion to their weights")
    func frequencies() throws {
        let draws = 20_000
        let weights: [Float] = [0, 1, 2, 5, 0.5]
        let repeated = Tensor(weights, shape: [1, 5]).expanded(draws, -1)
        let choices = GeneratedChoices(generator: try Generator(seed: 3))
        for drawn in [choices.images(repeated), choices.texts(repeated)] {
            let indices: [Int] = drawn.values()
            for (index, weight) in weights.enumerated() {
                let share = Double(weight) / 8.5
                let bound = 5 * (share * (1 - share) / Double(draws)).squareRoot()
                let found = Double(indices.count { $0 == index }) / Double(draws)
                #expect(abs(found - share) <= bound, "\(index): \(found), not \(share)")
            }
        }
    }

    @Test(
        "Negatives are never other captions of the image, except in faithful pretraining",
        arguments: [
            (ObjectiveConfiguration.Contrastive.Positives.pair, true, false, true),
            (.pair, false, false, false), (.pair, true, true, false), (.image, true, true, true),
            (.image, false, false, true),
        ])
    func sameImage(
        positives: ObjectiveConfiguration.Contrastive.Positives, excludes: Bool, isFaithful: Bool,
        isExcluded: Bool
    ) throws {
        let choices = try WatchedChoices()
        let objective = try TinyObjective.objective(
            TinyObjective.model(),
            ObjectiveConfiguration(
                contrastive: .init(queue: 0, positives: positives),
                matching: .init(excludesSameImage: excludes), dropout: 0, isFaithful: isFaithful),
            choices: choices)
        let ids = [7, 8, 7, 9, 8]
        let losses = try objective(
            try TinyObjective.batch(5, imageIDs: ids), alpha: 0)
        for weights in [choices.imageWeights[0], choices.textWeights[0]] {
            for (row, values) in rows(weights).enumerated() {
                #expect(values[row] == 0)
                for column in ids.indices where column != row {
                    let isSame = ids[row] == ids[column]
                    #expect((values[column] == 0) == (isSame && isExcluded))
                }
            }
        }
        let negatives = try #require(losses.matching).negatives
        if isExcluded {
            for indices in [negatives.images, negatives.texts] {
                let drawn: [Int] = indices.values()
                #expect(drawn.enumerated().allSatisfy { ids[$0] != ids[$1] })
            }
        }
    }

    @Test(
        "Known matches are positives of ITC, in each direction, and never negatives"
    )
    func knownPairs() throws {
        let choices = try WatchedChoices()
        let objective = try TinyObjective.objective(
            TinyObjective.model(),
            ObjectiveConfiguration(
                contrastive: .init(queue: 0, positives: .caption), teacher: .init(isEnabled: false),
                dropout: 0),
            choices: choices)
        // Text 1 describes image 3 too, but image 1 lacks text 3.
        var truths = (0..<4).map { row in (0..<4).map { $0 == row } }
        truths[1][3] = true
        let losses = try objective(
            try TinyObjective.batch(4, imageIDs: [0, 1, 2, 3], truths: truths), alpha: 0)
        let (images, texts) = (rows(choices.imageWeights[0]), rows(choices.textWeights[0]))
        for row in 0..<4 {
            for column in 0..<4 {
                #expect((images[row][column] == 0) == truths[row][column])
                #expect((texts[row][column] == 0) == truths[column][row])
            }
        }
        let outcome = try #require(losses.contrastive)
        let toImages = rows(outcome.textToImageTargets)
        #expect(toImages[1] == [0, 0.5, 0, 0.5] && toImages[3] == [0, 0, 0, 1])
        let toTexts = rows(outcome.imageToTextTargets)
        #expect(toTexts[3] == [0, 0.5, 0, 0.5] && toTexts[1] == [0, 1, 0, 0])
    }

    @Test("Shifted negatives are the neighbours, regardless of the settings")
    func easyNegatives() throws {
        let objective = try TinyObjective.objective(
            try TinyObjective.model(), ObjectiveConfiguration(contrastive: .init(queue: 6)))
        let batch = try TinyObjective.batch(4)
        let easy = try objective(batch, alpha: 0, negatives: .shifted)
        let shifted = try #require(easy.matching)
        #expect(shifted.imageWeights == nil && shifted.textWeights == nil)
        #expect(shifted.negatives.images.values() as [Int] == [1, 2, 3, 0])
        #expect(shifted.negatives.texts.values() as [Int] == [1, 2, 3, 0])
        #expect(easy.contrastive != nil)
        let hard = try objective(batch, alpha: 0)
        #expect(hard.matching?.imageWeights?.shape == [4, 4])
    }

    @Test(
        "The neighbour can be several pairs away, and is never the pair itself",
        arguments: [
            (2, [2, 3, 0, 1]), (3, [3, 0, 1, 2]), (4, [1, 2, 3, 0]), (6, [2, 3, 0, 1]),
        ])
    func shift(by shift: Int, expected: [Int]) throws {
        let objective = try TinyObjective.objective(
            try TinyObjective.model(),
            ObjectiveConfiguration(
                contrastive: .init(queue: 6), matching: .init(negatives: .shifted, shift: shift)))
        let losses = try objective(try TinyObjective.batch(4), alpha: 0, negatives: .shifted)
        let negatives = try #require(losses.matching).negatives
        #expect(negatives.images.values() as [Int] == expected)
        #expect(negatives.texts.values() as [Int] == expected)
    }
}
