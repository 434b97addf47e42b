import ALBEF
import ALBEFTraining
import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing
import Torch
import Wardrobe
import WardrobeEvaluation

@Suite("The Wardrobe ablation")
struct WardrobeAblationTests {
    /// The smallest sizes of an experiment.
    private var sizes: WardrobeAblation.Sizes {
        var sizes = WardrobeAblation.Sizes()
        sizes.singleScenes = 8
        sizes.scenes = 12
        sizes.tests.swaps = 6
        sizes.tests.outfits = 1
        (sizes.tests.rightScenes, sizes.tests.mirroredScenes) = (4, 8)
        (sizes.tests.colours, sizes.tests.thingScenes, sizes.tests.otherScenes) = (1, 3, 4)
        sizes.tests.captions = 12
        sizes.assignments = [
            "model.image_size=32", "model.patch_size=16", "model.image_width=16",
            "model.image_depth=1", "model.text_width=16",
            "model.text_depth=1", "model.fusion_depth=1", "model.embedding_width=8",
            "training.batch_size=4", "training.epochs=1",
            "training.device=cpu",
        ]
        return sizes
    }

    @Test("The ablation trains and tests a system once, resumes, and makes one table")
    func ablation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let ablation = WardrobeAblation(folder, sizes: sizes)
            try await ablation.prepare { _ in }
            for system in [WardrobeSystem.clip, .singleTower, .albef] {
                #expect(try await ablation.run(system, seed: 1) { _ in })
            }
            let stages = try #require(try ablation.results(.albef, seed: 1)).map(\.stage)
            #expect(
                stages == ["towers", "top 16", "top 32", "top 64", "top 128"] + stages.prefix(5))
            #expect(try ablation.results(.singleTower, seed: 1)?.map(\.stage) == ["all", "all"])
            #expect(try ablation.results(.wenlan, seed: 1) == nil)
            // A gallery smaller than k is re-ranked completely, so k makes no difference.
            let rows = try #require(try ablation.results(.albef, seed: 1))
            #expect(rows[3].scores == rows[4].scores)

            // A finished run is not repeated, even if its files are removed.
            let weights = ablation.runDirectory(.clip, seed: 1).appending("last")
            try FileManager.default.removeItem(atPath: weights.string)
            #expect(try await ablation.run(.clip, seed: 1) { _ in Issue.record("ran again") })

            let table = try AblationTable(ablation, seeds: [1, 2])
            #expect(table.lines.count == 2 * (1 + 1 + 5))
            #expect(table.lines.allSatisfy { $0.runs == 1 && $0.measures["swap"] != nil })
            let text = table.markdown(language: .chinese).split(separator: "\n")
            #expect(text.count == 2 + 7 && text[2].hasPrefix("| CLIP | towers | 1 | "))
        }
    }

    @Test("Systems differ only in their objectives; the last is the preset")
    func systems() throws {
        let ablation = WardrobeAblation("/nowhere")
        let albef = try ablation.settings(.albef, seed: 3, .scenes)
        for system in WardrobeSystem.allCases {
            var settings = try ablation.settings(system, seed: 3, .scenes)
            #expect((settings.objectives == albef.objectives) == (system == .albef))
            #expect(settings.model.start == "/nowhere/\(system.rawValue)-3.first/last")
            settings.objectives = albef.objectives
            settings.model.start = albef.model.start
            #expect(settings == albef, "\(system)")
        }
        #expect(albef.training.seed == 3)
    }

    @Test("An empty benchmark has scores of 0")
    func nothing() async throws {
        var sizes = WardrobeBenchmark.Sizes()
        (sizes.swaps, sizes.outfits, sizes.colours, sizes.captions) = (0, 0, 0, 0)
        (sizes.rightScenes, sizes.mirroredScenes, sizes.thingScenes, sizes.otherScenes) =
            (0, 0, 0, 0)
        let configuration = ALBEFConfiguration(
            vision: .init(imageSize: 32, width: 16, depth: 1, heads: 2, mlpWidth: 32),
            text: .init(
                vocabularySize: 200, width: 16, depth: 2, fusionLayer: 1, heads: 2, mlpWidth: 32,
                positions: 48))
        let preprocessing = ModelPreprocessing(
            vocabulary: try Vocabulary(contentsOf: Fixtures.tinyVocabulary),
            configuration: configuration)
        let rows = try await WardrobeEvaluator(
            WardrobeBenchmark(seed: 3, sizes: sizes), preprocessing: preprocessing
        ).evaluate(
            ALBEFModel(untrained: configuration, generator: Generator(seed: 5)),
            stages: [.towers, .reranked(4)])
        #expect(rows.count == 4)
        #expect(rows.allSatisfy { $0.scores.allAt10 == 0 && $0.scores.swap == 0 })
    }

    @Test("The test swap compares exactly the scores of the two captions")
    func swaps() async throws {
        let vocabulary = try Vocabulary(contentsOf: Fixtures.tinyVocabulary)
        var configuration = ALBEFConfiguration(
            vision: .init(imageSize: 32, width: 16, depth: 1, heads: 2, mlpWidth: 32),
            text: .init(
                vocabularySize: vocabulary.count, width: 16, depth: 2, fusionLayer: 1, heads: 2,
                mlpWidth: 32, positions: 48))
        // If they were cut, the two captions could be equal.
        configuration.text.maximumTokens = 40
        configuration.embeddingWidth = 8
        let model = try ALBEFModel(untrained: configuration, generator: Generator(seed: 5))
        let preprocessing = ModelPreprocessing(
            vocabulary: vocabulary, configuration: configuration)
        let benchmark = WardrobeBenchmark(seed: 3, sizes: sizes.tests)
        let rows = try await WardrobeEvaluator(
            benchmark, preprocessing: preprocessing, side: 32
        ).evaluate(model, stages: [.towers, .reranked(4)])

        var right = (towers: 0.0, fusion: 0.0)
        for swap in benchmark.swaps {
            let image = try benchmark.swapScenes[swap.scene].image(side: 32)
            let images = try model.encodeImages(
                Tensor(preprocessing.image(image), shape: [1, 3, 32, 32]))
            let scores = try [swap.right, swap.wrong].map { texts in
                let batch = preprocessing.text.batch([texts[.chinese] ?? ""])
                let encoded = try model.encodeTexts(
                    Tensor(batch.ids, shape: [1, batch.length]),
                    mask: Tensor(batch.mask, shape: [1, batch.length]))
                return (
                    (images.features * encoded.features).sum().scalar(),
                    try model.matchLogits(encoded, tokens: images.tokens)[0, 1].scalar()
                )
            }
            if scores[0].0 > scores[1].0 { right.towers += 1 }
            if scores[0].1 > scores[1].1 { right.fusion += 1 }
        }
        let count = Double(benchmark.swaps.count)
        #expect(abs(rows[2].scores.swap - right.towers / count) < 1e-9)
        #expect(abs(rows[3].scores.swap - right.fusion / count) < 1e-9)
    }
}
