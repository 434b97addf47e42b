import ALBEF
import TestSupport
import Testing
import Torch

@Suite("Grad-CAM of the similarity")
struct TowerGradCAMTests {
    private struct Pairs {
        let golden: GoldenSet
        let model: ALBEFModel
        /// The features of the texts, and the pixels of the images, in pairs.
        let features, pixels: Tensor

        init() throws {
            let retrieval = try GoldenSet("albef-retrieval")
            golden = try GoldenSet("albef-grounding")
            model = try retrieval.model(.albef, .retrieval)
            let texts = try model.encodeTexts(
                try retrieval.input("eval/input_ids"),
                mask: try retrieval.input("eval/attention_mask"))
            features = texts.features[try golden.input("itc/texts")]
            pixels = try retrieval.input("eval/image")
        }

        func maps(blocks: [Int], images: [Int]? = nil) throws -> [TowerGradCAM] {
            try model.gradCAM(
                ofSimilarityTo: features, pixels: pixels, images: images, blocks: blocks)
        }
    }

    @Test("Maps of every block equal PyTorch's")
    func parity() throws {
        let pairs = try Pairs()
        let found = try pairs.maps(blocks: [0, 1, 2])
        for (block, map) in found.enumerated() {
            #expect(map.block == block)
            try pairs.golden.expect(map.maps, equals: "itc/block\(block)")
            try pairs.golden.expect(map.similarities, equals: "itc/similarities")
            #expect(!map.maps.requiresGrad && !map.similarities.requiresGrad)
        }
    }

    @Test("A block alone has the map that it has among others, also with gradients turned off")
    func alone() throws {
        let pairs = try Pairs()
        let together = try pairs.maps(blocks: [2, 0, 1])
        #expect(together.map(\.block) == [2, 0, 1])
        for map in together {
            let alone = try #require(
                try withoutGradients { try pairs.maps(blocks: [map.block]) }.first)
            #expect(alone.maps.isClose(to: map.maps, relative: 1e-4, absolute: 1e-6))
        }
    }

    @Test("Texts of one image share it")
    func shared() throws {
        let pairs = try Pairs()
        let images = [3, 3, 0, 5, 3, 0]
        let shared = try pairs.maps(blocks: [1, 2], images: images)
        let copied = try pairs.model.gradCAM(
            ofSimilarityTo: pairs.features, pixels: pairs.pixels[Tensor(images)], blocks: [1, 2])
        for (one, other) in zip(shared, copied) {
            #expect(one.maps.isClose(to: other.maps, relative: 1e-4, absolute: 1e-6))
            #expect(
                one.similarities.isClose(to: other.similarities, relative: 1e-5, absolute: 1e-6))
        }
    }

    @Test("What has no map is named")
    func refusals() throws {
        let pairs = try Pairs()
        for block in [-1, 3] {
            let error = #expect(throws: ALBEFError.self) { try pairs.maps(blocks: [0, block]) }
            #expect(error?.description.contains("no block \(block): its blocks are 0 to 2") == true)
        }
        for images in [[0], [0, 1, 2, 3, 4, 6], [0, 1, 2, 3, 4, -1]] {
            let error = #expect(throws: ALBEFError.self) {
                try pairs.maps(blocks: [0], images: images)
            }
            #expect(error?.description.contains("do not match") == true)
        }
        #expect(throws: ALBEFError.self) {
            try pairs.model.gradCAM(
                ofSimilarityTo: pairs.features, pixels: pairs.pixels[.all, .all, 0..<32],
                blocks: [0])
        }
    }

    @Test("The layers of a model are those that its modes can explain")
    func layers() throws {
        var configuration = ALBEFConfiguration(
            dialect: .albef, task: .grounding,
            vision: .init(imageSize: 48, width: 24, depth: 5, heads: 4, mlpWidth: 48),
            text: .init(
                vocabularySize: 200, width: 32, depth: 6, fusionLayer: 3, heads: 4, mlpWidth: 64),
            embeddingWidth: 16)
        #expect(try configuration.gradCAMLayers(.itm) == 3..<6)
        #expect(try configuration.gradCAMLayers(.itc) == 0..<5)
        #expect(try configuration.gradCAMLayer(.itm).index == 4)
        #expect(try configuration.gradCAMLayer(.itc).index == 4)
        #expect(try configuration.gradCAMLayer(.itc, 0).index == 0)
        #expect(throws: ALBEFError.self) { try configuration.gradCAMLayer(.itm, 2) }
        #expect(throws: ALBEFError.self) { try configuration.gradCAMLayer(.itc, 5) }
        configuration.vision.pooling = .mean
        let error = #expect(throws: ALBEFError.self) { try configuration.gradCAMLayers(.itc) }
        #expect(error?.description.contains("use the match (itm)") == true)
        configuration.task = .alignment
        #expect(throws: ALBEFError.self) { try configuration.gradCAMLayers(.itm) }
    }
}
