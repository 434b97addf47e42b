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

/// What the evaluator chooses is compared with what a search model finds, one text at a time.
@Suite("Evaluation of grounding")
struct GroundingEvaluatorTests {
    private static func box(_ x: Double, _ y: Double, _ width: Double, _ height: Double) throws
        -> BoundingBox
    {
        try #require(BoundingBox(x: x, y: y, width: width, height: height))
    }

    private func evaluator(
        _ items: [GroundingItem], _ model: SearchModel
    ) throws -> GroundingEvaluator {
        try GroundingEvaluator(
            GroundingDataset(items: items), source: "x.json",
            preprocessing: model.reader.preprocessing)
    }

    /// Texts of small images, with some of the boxes that fit into 8 x 8 pixels.
    private func items(_ count: Int, _ images: [FilePath]) throws -> [GroundingItem] {
        let words = ["dog", "cat", "bus", "tree", "red", "snow", "sea", "sofa", "ball", "night"]
        var random = SplitMix64(seed: 21)
        func sample() throws -> BoundingBox {
            let (x, y) = (
                Double.random(in: 0...6, using: &random),
                Double(Int.random(in: 0...6, using: &random))
            )
            return try Self.box(
                x, y, Double.random(in: 1...8 - x, using: &random),
                Double.random(in: 1...8 - y, using: &random))
        }
        return try (0..<count).map { index in
            GroundingItem(
                image: images[index * 37 % images.count], imageWidth: 8, imageHeight: 8,
                text: (0..<(index % 4 + 1)).map { words[(index + 3 * $0) % 10] }
                    .joined(separator: " "),
                box: try sample(), proposals: try (0..<(index % 5)).map { _ in try sample() },
                split: ["val", "testA", nil][index % 3], file: "x.json", entry: "[\(index)]")
        }
    }

    private static func search(in folder: FilePath, _ task: ALBEFConfiguration.Task) throws
        -> SearchModel
    {
        try TinyModel(task: task).makeSearchModel(in: folder)
    }

    @Test("Every layer chooses as for single texts, over several batches of images and of texts")
    func agrees() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(70, to: folder.appending("images"))
            let model = try Self.search(in: folder, .grounding)
            let items = try items(150, images)
            let configuration = model.model.configuration
            let layers = try GradCAMMode.allCases.flatMap { mode in
                try configuration.gradCAMLayers(mode).map {
                    try configuration.gradCAMLayer(mode, $0)
                }
            }
            #expect(layers.count == 4)
            var seen: [Int] = []
            var maps: [GradCAMLayer: [Int: [Float]]] = [:]
            let found = try await evaluator(items, model).evaluate(
                model.model, layers: layers,
                observe: { maps[$0.layer, default: [:]][$0.index] = $0.map },
                progress: { seen += [$0, $1] })
            #expect(found.images == 70 && found.unreadable.isEmpty)
            #expect(seen.suffix(2) == [300, 300])
            #expect(found.results.map(\.layer) == layers)
            var (chosen, without) = (0, 0)
            for result in found.results {
                #expect(result.outcomes.map(\.item) == items)
                for (index, item) in items.enumerated().filter({ $0.0 % 7 == 0 }) {
                    let single = try model.locate(
                        item.image, item.text, by: result.layer.mode, layer: result.layer.index)
                    let map = try #require(maps[result.layer]?[index])
                    // Texts of a batch have padding, which lowers the mean of all tokens alike.
                    let scale = single.map.total / map.reduce(0, +)
                    for (one, other) in zip(map, single.map.values) {
                        #expect(abs(one * scale - other) <= 1e-3 * (single.map.values.max() ?? 0))
                    }
                    let outcome = result.outcomes[index]
                    let choice = single.choice(of: item.proposals)
                    #expect(choice?.index == outcome.choice?.index)
                    #expect(
                        outcome.overlap
                            == choice.map {
                                item.proposals[$0.index].intersectionOverUnion(item.box)
                            } ?? 0)
                    chosen += choice == nil ? 0 : 1
                    without += choice == nil ? 1 : 0
                }
                let metrics = result.metrics
                #expect(metrics.splits.map(\.name) == ["val", "testA"])
                #expect(metrics.splits.map(\.texts) == [50, 50] && metrics.all.texts == 150)
                let right = result.outcomes.count(where: \.isRight)
                #expect(abs(metrics.all.right.percent - Double(right) / 1.5) < 1e-9)
                // A fifth of the texts has no proposals.
                #expect(metrics.all.withoutChoice >= 30)
                #expect(metrics.all.reachable.percent >= metrics.all.right.percent)
            }
            #expect(chosen > 40 && without > 10)
        }
    }

    @Test("A text for which no proposal scores is wrong, and is counted")
    func noScore() throws {
        let (truth, other) = (try Self.box(0, 0, 4, 4), try Self.box(4, 4, 4, 4))
        func outcome(_ choice: Int?, _ image: FilePath, _ split: String?) throws -> GroundingOutcome
        {
            let map: [Float] =
                choice == nil ? [0, 0, 0, 0] : choice == 0 ? [1, 0, 0, 0] : [0, 0, 0, 1]
            let item = GroundingItem(
                image: image, imageWidth: 8, imageHeight: 8, text: "a dog", box: truth,
                proposals: [truth, other], split: split)
            let heat = BoxHeat(
                HeatPlacement(mapWidth: 2, mapHeight: 2, imageWidth: 8, imageHeight: 8))
            return GroundingOutcome(item: item, choice: heat.choice(of: item.proposals, by: map))
        }
        let outcomes = [
            try outcome(0, "a", "testB"), try outcome(nil, "a", "testB"),
            try outcome(1, "b", "val"), try outcome(0, "c", nil),
        ]
        #expect(outcomes.map(\.isRight) == [true, false, false, true])
        #expect(outcomes.map(\.overlap) == [1, 0, 0, 1] && outcomes[1].box == nil)
        #expect(outcomes.map(\.isReachable) == [true, true, true, true])
        let metrics = GroundingMetrics(outcomes)
        #expect(metrics.splits.map(\.name) == ["testB", "val"])
        #expect(metrics.splits.map(\.right.percent) == [50, 0])
        #expect(metrics.splits.map(\.withoutChoice) == [1, 0] && metrics.all.withoutChoice == 1)
        #expect(metrics.all.right.percent == 50 && metrics.all.reachable.percent == 100)
        // By image the deviations are 0, -1/2 and 1/2; the two texts of image a cancel out.
        #expect(abs(metrics.all.right.standardError - 100 * 0.5.squareRoot() / 4) < 1e-9)
        #expect(metrics.splits[0].right.standardError == 0)
    }

    @Test("The overlap of one half is enough")
    func threshold() throws {
        let truth = try Self.box(0, 0, 4, 4)
        func outcome(_ width: Double) throws -> GroundingOutcome {
            let item = GroundingItem(
                image: "a", imageWidth: 8, imageHeight: 8, text: "p", box: truth,
                proposals: [try Self.box(0, 0, width, 4)])
            let heat = BoxHeat(
                HeatPlacement(mapWidth: 1, mapHeight: 1, imageWidth: 8, imageHeight: 8))
            return GroundingOutcome(item: item, choice: heat.choice(of: item.proposals, by: [1]))
        }
        #expect(try outcome(2).isRight && !outcome(1.999).isRight)
        #expect(try outcome(8).isRight && !outcome(8.001).isRight)
    }

    @Test("Damaged images end the evaluation, or their texts are left out")
    func unreadable() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(3, to: folder.appending("images"))
            let model = try Self.search(in: folder, .grounding)
            let items = try items(6, images)
            try Data([0x42, 0x4D, 1]).write(to: URL(filePath: images[1].string))
            let layer = try model.model.configuration.gradCAMLayer(.itc)
            let evaluator = try evaluator(items, model)
            await #expect {
                try await evaluator.evaluate(model.model, layers: [layer])
            } throws: {
                ($0 as? ImageError)?.source == images[1].description
            }
            var seen: [Int] = []
            let found = try await evaluator.evaluate(
                model.model, layers: [layer], skipsUnreadable: true, progress: { seen += [$0, $1] })
            #expect(found.results[0].outcomes.map(\.item) == items.filter { $0.image != images[1] })
            #expect(found.unreadable.map(\.source) == [images[1].description])
            #expect(found.images == 2 && seen.suffix(2) == [6, 6])
            let none = try self.evaluator(items.filter { $0.image == images[1] }, model)
            await #expect(throws: TrainingError.self) {
                try await none.evaluate(model.model, layers: [layer], skipsUnreadable: true)
            }
        }
    }

    @Test("What cannot be evaluated is named")
    func refusals() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(2, to: folder.appending("images"))
            let model = try Self.search(in: folder, .alignment)
            #expect(throws: TrainingError.self) { try evaluator([], model) }
            var items = try items(5, images)
            await #expect(throws: ALBEFError.self) {
                let other = try Self.search(in: folder, .grounding).model.configuration
                _ = try await evaluator(items, model).evaluate(
                    model.model, layers: [try other.gradCAMLayer(.itm)])
            }
            for index in items.indices { items[index].proposals = [] }
            let error = #expect(throws: TrainingError.self) { try evaluator(items, model) }
            #expect(error?.description.contains("x.json: contains no texts with boxes") == true)
        }
    }

    @Test("A cancelled evaluation ends with that error")
    func cancellation() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let images = try TinyImages.write(40, to: folder.appending("images"))
            let model = try Self.search(in: folder, .grounding)
            let evaluator = try evaluator(try items(120, images), model)
            let layer = try model.model.configuration.gradCAMLayer(.itm)
            let task = Task {
                try await evaluator.evaluate(
                    model.model, layers: [layer],
                    progress: { _, _ in withUnsafeCurrentTask { $0?.cancel() } })
            }
            await #expect(throws: CancellationError.self) { try await task.value }
        }
    }

    /// A text names one of two people in a drawn scene by the colours of the clothes, or a toy beside
    /// them.
    ///
    /// A guess finds the person half of the time, and the toy a third.
    @Test(
        "The model that ships finds people and toys: the fusion encoder both, the towers toys",
        arguments: [(GradCAMMode.itm, "person"), (.itm, "toy"), (.itc, "toy")])
    func wardrobe(_ mode: GradCAMMode, _ split: String) async throws {
        let model = try SearchModel(try #require(ShippedModel.wardrobe.directory))
        let generator = WardrobeGenerator(
            seed: 78, settings: .init(people: 2...2, smallShare: 1))
        let side = 128.0
        func frame(_ x: Double, _ y: Double, _ width: Double, _ height: Double) throws
            -> BoundingBox
        {
            let (left, top) = (max(0, (x - width / 2) * side), max(0, (y - height) * side))
            return try Self.box(
                left, top, min(width * side, side - left), min(height * side, side - top))
        }
        try await Fixtures.withTemporaryFolder { folder in
            let scenes = (0..<120).map { generator.scene($0) }.filter { scene in
                let colours = Set(scene.people.flatMap { [$0.top, $0.bottom.colour] })
                return colours.count == 4
                    && scene.people.allSatisfy { $0.bottom.kind == .trousers }
            }.prefix(24)
            try await WardrobeFolder(folder).write(Array(scenes), seed: 1)
            let items = try scenes.enumerated().flatMap { index, scene in
                let toy = try #require(scene.smallProp)
                var boxes = try scene.people.map {
                    try frame($0.x, $0.y, 0.4 * $0.height, $0.height)
                }
                boxes.append(try frame(toy.x, toy.y, toy.size, toy.size))
                let texts =
                    scene.people.map {
                        "\($0.top.rawValue) top and \($0.bottom.colour.rawValue) trousers"
                    } + ["\(toy.colour?.rawValue ?? "") toy \(toy.kind.rawValue)"]
                return zip(texts, boxes).enumerated().map { place, pair in
                    GroundingItem(
                        image: folder.pushing(FilePath(WardrobeFolder.name(index))),
                        imageWidth: 128, imageHeight: 128, text: pair.0, box: pair.1,
                        proposals: boxes, split: place < 2 ? "person" : "toy")
                }
            }
            #expect(items.count >= 60)
            let layer = try model.model.configuration.gradCAMLayer(mode)
            let found = try await evaluator(items, model).evaluate(model.model, layers: [layer])
            let row = try #require(
                found.results[0].metrics.splits.first { $0.name == split })
            #expect(row.right.percent > 80, "\(row)")
            #expect(row.reachable.percent == 100 && row.withoutChoice == 0)
        }
    }
}
