import ALBEF
import ALBEFTraining
import Foundation
import ImageText
import Retrieval
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Wardrobe

/// What evaluators score is compared with what a search scores, one pair at a time.
@Suite("Evaluations of choices and pairs")
struct CompositionEvaluatorTests {
    /// Scores may differ by the rounding of batches.
    private let tolerance: Float = 2e-4

    private func shipped() throws -> SearchModel {
        try SearchModel(try #require(ShippedModel.wardrobe.directory))
    }

    private func evaluator(
        _ items: [ChoiceItem], _ model: SearchModel
    ) throws -> ChoiceEvaluator {
        try ChoiceEvaluator(
            ChoiceDataset(items: items), preprocessing: model.reader.preprocessing,
            recall: model.recall.map {
                RecallModel($0.model, preprocessing: $0.preprocessing)
            })
    }

    private func expect(
        _ outcome: ChoiceOutcome, equals scores: [PairScore],
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let fusion = try #require(outcome.fusion, sourceLocation: sourceLocation)
        let towers = outcome.towers.positives + outcome.towers.negatives
        for (found, score) in zip(towers, scores) {
            #expect(abs(found - score.similarity) < tolerance, sourceLocation: sourceLocation)
        }
        for (found, score) in zip(fusion.positives + fusion.negatives, scores) {
            #expect(abs(found - score.matchLogit) < tolerance * 10, sourceLocation: sourceLocation)
        }
        #expect(towers.count == scores.count, sourceLocation: sourceLocation)
    }

    @Test("The model that ships chooses as its scores of single pairs say")
    func wardrobe() async throws {
        let model = try shipped()
        var sizes = WardrobeBenchmark.Sizes()
        sizes.swaps = 18
        let benchmark = WardrobeBenchmark(seed: 4_000_001, sizes: sizes)
        try await Fixtures.withTemporaryFolder { folder in
            try await WardrobeFolder(folder).write(benchmark.swapScenes, seed: 1)
            // Both languages of a scene apart, so that images come back.
            let items = [WardrobeLanguage.chinese, .english].flatMap { language in
                benchmark.swaps.map { swap in
                    ChoiceItem(
                        image: folder.pushing(FilePath(WardrobeFolder.name(swap.scene))),
                        positives: [swap.right[language] ?? ""],
                        negatives: [swap.wrong[language] ?? ""], kind: swap.kind.rawValue)
                }
            }
            var seen: [Int] = []
            let result = try await evaluator(items, model).evaluate(model.model, ranking: .matching)
            {
                seen += [$0, $1]
            }
            #expect(result.outcomes.map(\.item) == items)
            #expect(result.images == benchmark.swapScenes.count && result.ties == 0)
            #expect(seen.suffix(2) == [result.images, result.images])
            var (towers, fusion, unsure) = (0, 0, 0)
            for outcome in result.outcomes {
                let item = outcome.item
                let scores = try model.score(item.image, item.positives + item.negatives)
                try expect(outcome, equals: scores)
                towers += scores[0].similarity > scores[1].similarity ? 1 : 0
                fusion += scores[0].matchLogit > scores[1].matchLogit ? 1 : 0
                unsure += abs(scores[0].similarity - scores[1].similarity) < tolerance * 2 ? 1 : 0
            }
            let all = result.metrics.meanOfItems
            #expect(abs(all.towers.percent * 36 / 100 - Double(towers)) < Double(unsure) + 0.01)
            #expect(
                abs((all.fusion?.percent ?? 0) * 36 / 100 - Double(fusion)) < Double(unsure) + 0.01)
            #expect(result.metrics.kinds.map(\.items) == [12, 12, 12])
            // What the product is for: the fusion encoder reads what the towers cannot.
            #expect((all.fusion?.percent ?? 0) > all.towers.percent + 5)
        }
    }

    @Test("More images and texts than fit into a batch, in an order of their own")
    func batches() async throws {
        let words = ["dog", "cat", "bus", "tree", "red", "snow", "sea", "sofa", "ball", "night"]
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(70, to: folder.appending("images"))
            let model = try TinyModel.search(in: folder)
            // Every image twice, far apart; one with more texts than are encoded at once.
            let items = (0..<140).map { index in
                let texts = (0..<(index == 3 ? 300 : 3)).map {
                    "a \(words[$0 % 10]) two \(words[(index * 3 + $0 / 10) % 10]) man \(words[(index + $0) % 10])"
                }
                return ChoiceItem(
                    image: images[index * 37 % 70], positives: [texts[0]],
                    negatives: Array(texts.dropFirst()), kind: "\(index % 3)")
            }
            let result = try await evaluator(items, model).evaluate(model.model, ranking: .matching)
            #expect(result.images == 70)
            #expect(result.outcomes.map(\.item) == items)
            for index in stride(from: 0, to: 140, by: 9) where index != 3 {
                let outcome = result.outcomes[index]
                let item = outcome.item
                try expect(
                    outcome, equals: model.score(item.image, item.positives + item.negatives))
            }
            let long = result.outcomes[3]
            let some = try model.score(long.item.image, Array(long.item.negatives.suffix(4)))
            for (found, score) in zip(long.towers.negatives.suffix(4), some) {
                #expect(abs(found - score.similarity) < tolerance)
            }
        }
    }

    @Test("Texts that the model reads alike are never above each other")
    func ties() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(2, to: folder.appending("images"))
            let model = try TinyModel.search(in: folder)
            func item(_ positive: String, _ negative: String) -> ChoiceItem {
                ChoiceItem(
                    image: images[1], positives: [positive], negatives: [negative], kind: "k")
            }
            let long = String(repeating: "dog ", count: 60)
            let items = [
                item("a red dog", "a red dog"), item("A red dog!", "a  red DOG"),
                item(long + "cat", long + "tree"), item("a red dog", "a red cat"),
                item("a red cat", "a red dog"),
            ]
            let result = try await evaluator(items, model).evaluate(model.model, ranking: .sum)
            #expect(result.ties == 3)
            for outcome in result.outcomes.prefix(3) {
                #expect(outcome.towers.positives == outcome.towers.negatives)
                #expect(outcome.fusion?.positives == outcome.fusion?.negatives)
                #expect(!outcome.towers.isRight && outcome.fusion?.isRight == false)
            }
            // Of a choice and its opposite one is right.
            #expect(result.outcomes[3].towers.isRight != result.outcomes[4].towers.isRight)
        }
    }

    @Test("A box is cut out of the image as it is, before it is resized")
    func boxes() async throws {
        let model = try shipped()
        try await Fixtures.withTemporaryFolder { folder in
            let scenes = WardrobeBenchmark(seed: 4_000_002, sizes: .init()).all.scenes.prefix(1)
            // Large enough for a JPEG to be decoded at a reduced size.
            try await WardrobeFolder(folder, side: 800).write(Array(scenes), seed: 1)
            let image = folder.pushing(FilePath(WardrobeFolder.name(0)))
            let texts = ["black top and white trousers", "white top and black trousers"]
            let boxes = [nil, (0, 0, 800, 800), (0, 100, 400, 700), (700, -50, 300, 200)].map {
                $0.flatMap { CropBox(x: $0.0, y: $0.1, width: $0.2, height: $0.3) }
            }
            let items = boxes.map {
                ChoiceItem(
                    image: image, box: $0, positives: [texts[0]], negatives: [texts[1]], kind: "")
            }
            let result = try await evaluator(items, model).evaluate(model.model, ranking: .matching)
            #expect(result.images == 4)
            let whole = try ImageLoader().load(image)
            for outcome in result.outcomes {
                guard let box = outcome.item.box else {
                    try expect(outcome, equals: model.score(image, texts))
                    continue
                }
                // What the box frames, pixel by pixel.
                let part = RGBImage(
                    width: box.width, height: box.height,
                    pixels: (0..<box.height).flatMap { row in
                        (0..<box.width).flatMap { column -> [UInt8] in
                            let (r, c) = (box.top + row, box.left + column)
                            guard (0..<800).contains(r), (0..<800).contains(c) else {
                                return [0, 0, 0]
                            }
                            let start = (r * 800 + c) * 3
                            return Array(whole.pixels[start..<start + 3])
                        }
                    })
                let encoded = try model.encode(pixels: [model.pixels(of: part)])
                try expect(outcome, equals: model.score(encoded, texts))
            }
            #expect(
                abs(result.outcomes[2].towers.positives[0] - result.outcomes[1].towers.positives[0])
                    > 0.01)

            let beside = ChoiceItem(
                image: image, box: CropBox(x: 900, y: 0, width: 5, height: 5),
                positives: [texts[0]], negatives: [texts[1]], kind: "")
            await #expect {
                try await evaluator([beside], model).evaluate(model.model, ranking: nil)
            } throws: {
                "\($0)"
                    == "\(image): has 800 x 800 pixels, none of which lies in the box 900, 0, 5, 5"
            }
        }
    }

    @Test("Of two models the one has the towers, the other reads")
    func twoModels() async throws {
        try await TinyModel.$hasRecall.withValue(true) {
            try await Fixtures.withTemporaryFolder { folder in
                let images = try TinyImages.write(3, to: folder.appending("images"))
                let both = try TinyModel.search(in: folder)
                let items = images.map {
                    ChoiceItem(
                        image: $0, positives: ["a red dog"], negatives: ["a red cat", "two men"],
                        kind: "k")
                }
                let result = try await evaluator(items, both).evaluate(
                    both.model, ranking: .matching)
                for outcome in result.outcomes {
                    let item = outcome.item
                    try expect(
                        outcome, equals: both.score(item.image, item.positives + item.negatives))
                }
                // Towers alone need no head that matches.
                let recall = try SearchModel(folder.appending("recall"))
                let towers = try await evaluator(items, recall).evaluate(recall.model, ranking: nil)
                for (one, other) in zip(towers.outcomes, result.outcomes) {
                    #expect(one.fusion == nil)
                    #expect(
                        abs(one.towers.positives[0] - other.towers.positives[0]) < tolerance)
                }
            }
        }
    }

    @Test("Pairs are scored image by caption, also where an image is in both places")
    func pairs() async throws {
        let model = try shipped()
        let outfit = WardrobeOutfit(top: .black, trousers: .white)
        let gallery = WardrobeBenchmark.gallery(
            for: outfit, right: 3, mirrored: 3, others: 0, seed: 4_000_003)
        try await Fixtures.withTemporaryFolder { folder in
            try await WardrobeFolder(folder).write(gallery.scenes, seed: 1)
            func image(_ index: Int) -> FilePath {
                folder.pushing(FilePath(WardrobeFolder.name(index)))
            }
            let captions = ["black top and white trousers", "white top and black trousers"]
            var items = (0..<3).map {
                PairItem(id: "\($0)", images: [image($0), image($0 + 3)], captions: captions)
            }
            items.append(PairItem(id: "same", images: [image(0), image(0)], captions: captions))
            items.append(
                PairItem(id: "words", images: [image(0), image(3)], captions: ["duck", "DUCK."]))
            let evaluator = try PairEvaluator(
                PairDataset(items: items), preprocessing: model.reader.preprocessing)
            let result = try await evaluator.evaluate(model.model, ranking: .matching)
            #expect(result.images == 6 && result.outcomes.map(\.item) == items)
            for outcome in result.outcomes {
                for (place, path) in outcome.item.images.enumerated() {
                    let scores = try model.score(path, outcome.item.captions)
                    for (caption, score) in scores.enumerated() {
                        #expect(
                            abs(outcome.towers.values[place][caption] - score.similarity)
                                < tolerance)
                        let fusion = try #require(outcome.fusion).values[place][caption]
                        #expect(abs(fusion - score.matchLogit) < tolerance * 10)
                    }
                }
            }
            let same = result.outcomes[3]
            #expect(!same.towers.isImageRight && !same.towers.isTextRight)
            #expect(same.fusion?.isImageRight == false && same.fusion?.isTextRight == false)
            #expect(result.outcomes[4].fusion?.isTextRight == false)
            #expect(result.metrics.all.items == 5 && result.metrics.tags.isEmpty)
        }
    }

    @Test("A damaged image ends the evaluation, or its items are left out")
    func unreadable() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(3, to: folder.appending("images"))
            try Data([0x42, 0x4D, 1]).write(to: URL(filePath: images[1].string))
            let model = try TinyModel.search(in: folder)
            let items = [0, 1, 2, 1].map {
                ChoiceItem(
                    image: images[$0], positives: ["a dog"], negatives: ["a cat"], kind: "\($0)")
            }
            let evaluator = try evaluator(items, model)
            await #expect {
                try await evaluator.evaluate(model.model, ranking: .matching)
            } throws: {
                ($0 as? ImageError)?.source == images[1].description
            }
            let result = try await evaluator.evaluate(
                model.model, ranking: .matching, skipsUnreadable: true)
            #expect(result.outcomes.map(\.item.kind) == ["0", "2"])
            #expect(result.unreadable.map(\.source) == [images[1].description])
            #expect(result.images == 2)

            let none = try self.evaluator([items[1]], model)
            await #expect {
                try await none.evaluate(model.model, ranking: nil, skipsUnreadable: true)
            } throws: {
                "\($0)".hasSuffix("contains no items to evaluate: no image can be read")
            }
            #expect(throws: TrainingError.self) { try self.evaluator([], model) }
            let pair = PairItem(id: "", images: [images[0], images[1]], captions: ["a", "b"])
            let pairs = try PairEvaluator(
                PairDataset(items: [pair]), preprocessing: model.reader.preprocessing)
            await #expect(throws: TrainingError.self) {
                try await pairs.evaluate(model.model, ranking: nil, skipsUnreadable: true)
            }
        }
    }

    @Test("A cancelled evaluation ends with that error")
    func cancellation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(80, to: folder.appending("images"))
            let model = try TinyModel.search(in: folder)
            let evaluator = try evaluator(
                images.map {
                    ChoiceItem(image: $0, positives: ["a dog"], negatives: ["a cat"], kind: "k")
                }, model)
            let task = Task {
                try await evaluator.evaluate(model.model, ranking: .matching) { _, _ in
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }
}
