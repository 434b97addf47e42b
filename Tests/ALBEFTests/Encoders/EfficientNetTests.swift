import ALBEF
import Foundation
import OrderedCollections
import Testing
import Torch

@Suite("EfficientNet trunks")
struct EfficientNetTests {
    @Test(
        "Published sizes",
        arguments: [
            // Parameters of the paper's table 2 and of the Lite release, in millions, with the
            // classifier, and with factors of norms, which are a few thousandths.
            (EfficientNetVariant.lite0, 224, 1280, 7, 4.7), (.lite4, 300, 1280, 10, 13.0),
            (.b0, 224, 1280, 7, 5.3), (.b3, 300, 1536, 10, 12.2), (.b7, 600, 2560, 19, 66.3),
        ])
    func sizes(
        _ variant: EfficientNetVariant, size: Int, width: Int, side: Int, millions: Double
    ) {
        let configuration = EfficientNetConfiguration(.variant(variant))
        #expect(variant.imageSize == size)
        #expect(configuration.featureWidth == width)
        #expect(configuration.featureStride == 32)
        #expect(configuration.featureSide(imageSize: size) == side)
        #expect(configuration.tokenCount(imageSize: size) == side * side)
        let count = configuration.parameters().reduce(1000 * (width + 1)) {
            $0 + $1.shape.reduce(1, *)
        }
        #expect(abs(Double(count) / 1e6 / millions - 1) < 0.02)
    }

    private static let small = EfficientNetArchitecture(
        stemWidth: 8,
        stages: [
            .init(kernel: 3, stride: 1, expansion: 1, width: 8, depth: 1),
            .init(kernel: 5, stride: 2, expansion: 2, width: 16, depth: 2),
            .init(kernel: 3, stride: 2, expansion: 3, width: 16, depth: 1),
        ], headWidth: 24, activation: .silu, squeezes: true)

    private func network(
        gradients: Bool = false, prefix: String = "visual_encoder.trunk"
    ) throws -> (EfficientNet, ParameterScope) {
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 11)))
        let configuration = EfficientNetConfiguration(.custom(Self.small))
        let network = try EfficientNet(scope, configuration, prefix: prefix)
        if gradients {
            for parameter in scope.parameters.values {
                parameter.value = parameter.value.requiringGrad()
            }
        }
        return (network, scope)
    }

    @Test("The layers request the parameters that the configuration lists", arguments: ["", "a.b"])
    func parameters(_ prefix: String) throws {
        let (network, scope) = try network(prefix: prefix)
        let listed = network.configuration.parameters(prefix: prefix)
        let asked = scope.parameters
        #expect(Set(listed.map(\.name)) == Set(asked.keys))
        #expect(listed.count == asked.count)
        for (name, shape) in listed { #expect(asked[name]?.value.shape == shape) }
        #expect(listed.first?.name == (prefix.isEmpty ? "" : "a.b.") + "conv_stem.weight")
    }

    @Test("A fresh network neither fades nor explodes", arguments: ["lite0", "b0", "b3"])
    func fresh(_ variant: String) throws {
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 11)))
        let form = try EfficientNetConfiguration.Form.variant(
            #require(EfficientNetVariant(rawValue: variant)))
        let network = try EfficientNet(scope, EfficientNetConfiguration(form))
        let pixels = Tensor.normal([1, 3, 96, 96], generator: try Generator(seed: 4))
        let map = withoutGradients { network(pixels) }
        let size = (map * map).mean().scalar().squareRoot()
        #expect(0.05 < size && size < 20, "\(size)")
    }

    @Test("Images may be of any size")
    func shapes() throws {
        let (network, _) = try network()
        for (height, width) in [(32, 32), (33, 47), (1, 1), (8, 200)] {
            let pixels = Tensor.normal([2, 3, height, width], generator: try Generator(seed: 4))
            let map = network(pixels)
            #expect(map.shape == [2, 24, (height + 7) / 8, (width + 7) / 8])
            #expect(map.abs().max().scalar().isFinite)
        }
    }

    @Test("An image's tokens do not depend on its batch or on the memory layout of its pixels")
    func batches() throws {
        let (network, _) = try network()
        let pixels = Tensor.normal([3, 3, 32, 32], generator: try Generator(seed: 4))
        let together = network.tokens(pixels)
        #expect(together.shape == [3, 16, 24])
        for index in 0..<3 {
            let alone = network.tokens(pixels[index..<index + 1].channelsLast())
            #expect(
                alone.isClose(
                    to: together[index..<index + 1], relative: 1e-4, absolute: 1e-5))
        }
    }

    @Test("Nothing of a batch is computed together if nothing trains")
    func onePerPass() throws {
        let (network, _) = try network()
        let pixels = Tensor.normal([3, 3, 32, 32], generator: try Generator(seed: 4))
        let together: [Float] = network(pixels).values()
        let alone = (0..<3).flatMap { index -> [Float] in
            network(pixels[index..<index + 1]).values()
        }
        #expect(together == alone)
    }

    private func isFrozen(_ name: String, _ stages: Int) -> Bool {
        if name.hasPrefix("conv_stem") { return stages > 0 }
        let stage = name.hasPrefix("blocks.") ? Int(String(name.dropFirst(7).prefix(1))) : nil
        return stage.map { $0 < stages } ?? false
    }

    @Test("Frozen stages and the stem get no gradients, and the others do", arguments: 0...3)
    func frozen(_ count: Int) throws {
        let pixels = Tensor.normal([2, 3, 32, 32], generator: try Generator(seed: 4))
        var maps: [[Float]] = []
        for isCheckpointed in [false, true] {
            let (network, scope) = try network(gradients: true, prefix: "")
            for (name, parameter) in scope.parameters where isFrozen(name, count) {
                parameter.value = parameter.value.detached()
            }
            let map = network(pixels, isCheckpointed: isCheckpointed)
            maps.append(map.values())
            try (map * map).sum().backward()
            for (name, parameter) in scope.parameters {
                let isFrozen = isFrozen(name, count)
                let gradient = parameter.value.grad
                if isFrozen {
                    #expect(gradient == nil, "\(name)")
                } else {
                    let largest = try #require(gradient, "\(name)").abs().max().scalar()
                    #expect(largest > 0 && largest.isFinite, "\(name)")
                }
            }
        }
        let (trained, _) = try network(gradients: true)
        #expect(maps[0] == trained(pixels).values())
        #expect(maps[1] == maps[0])
    }

    @Test("The trunk recovers from a lack of memory at any operator")
    func survivedFailure() throws {
        var configuration = EfficientNetConfiguration(.custom(Self.small))
        configuration.poolingGrids = [1, 2]
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 11)))
        let network = try EfficientNet(scope, configuration)
        for parameter in scope.parameters.values {
            parameter.value = parameter.value.requiringGrad()
        }
        let pixels = Tensor.normal([2, 3, 31, 32], generator: try Generator(seed: 4))
        let expected: [Float] = network.tokens(pixels).values()
        for isCheckpointed in [false, true] {
            var failures = 0
            while failures < 1000 {
                do {
                    let tokens = try recovering(failingAtOperator: failures) {
                        let map = network(pixels, isCheckpointed: isCheckpointed)
                        #expect(map.shape == [2, 24, 4, 4])
                        let tokens = network.tokens(of: map)
                        #expect(tokens.shape == [2, 5, 24])
                        return tokens
                    }
                    #expect(tokens.values() == expected)
                    break
                } catch let error as TorchError {
                    #expect(error.isOutOfMemory)
                    failures += 1
                }
            }
            // The layers alone: stem, three to seven operators per block, head, pooling.
            #expect((20..<200).contains(failures), "\(failures)")
        }
    }

    @Test("Tokens of pooling grids follow each other in the order of the grids")
    func grids() throws {
        var configuration = EfficientNetConfiguration(.custom(Self.small))
        configuration.poolingGrids = [1, 4, 2]
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 11)))
        let network = try EfficientNet(scope, configuration)
        let map = network(Tensor.normal([1, 3, 32, 32], generator: try Generator(seed: 4)))
        let tokens = network.tokens(of: map)
        #expect(tokens.shape == [1, 21, 24])
        #expect(configuration.tokenCount(imageSize: 32) == 21)
        let places = map.flattened(from: 2).transposed()
        #expect(tokens[.all, 0].isClose(to: places.mean(1), relative: 1e-5, absolute: 1e-6))
        // The map is 4 x 4 itself.
        #expect(tokens[.all, 1..<17].isClose(to: places, relative: 1e-5, absolute: 1e-6))
        let corner = Tensor.stacked([0, 1, 4, 5].map { places[.all, $0] }).mean(0)
        #expect(tokens[.all, 17].isClose(to: corner, relative: 1e-5, absolute: 1e-6))
    }
}

@Suite("Configurations of EfficientNet")
struct EfficientNetConfigurationTests {
    @Test("A configuration survives encoding as JSON", arguments: [true, false])
    func json(_ isCustom: Bool) throws {
        let form: EfficientNetConfiguration.Form =
            isCustom ? .custom(EfficientNetArchitecture(.b1)) : .variant(.lite3)
        let configuration = EfficientNetConfiguration(
            form, convention: .timm, includesHead: false, poolingGrids: [1, 6])
        let data = try JSONEncoder().encode(configuration)
        #expect(
            try JSONDecoder().decode(EfficientNetConfiguration.self, from: data) == configuration)
        let object = try #require(
            JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(
            object.keys.sorted()
                == (isCustom ? ["architecture"] : []) + [
                    "convention", "includes_head", "pooling_grids", "variant",
                ])
    }

    @Test("Unknown variants, and sizes for a known one, are rejected")
    func forms() throws {
        let data = try JSONEncoder().encode(EfficientNetConfiguration(.variant(.b0)))
        let text = String(decoding: data, as: UTF8.self)
        func error(_ from: String, _ to: String) -> String {
            let changed = Data(text.replacing(from, with: to).utf8)
            return failure {
                _ = try JSONDecoder().decode(EfficientNetConfiguration.self, from: changed)
            }
        }
        #expect(error("\"b0\"", "\"b9\"").contains("b9"))
        #expect(error("\"b0\"", "\"custom\"").contains("architecture"))
        let architecture = String(
            decoding: try JSONEncoder().encode(EfficientNetArchitecture(.b0)), as: UTF8.self)
        #expect(error("{", "{\"architecture\":\(architecture),").contains("custom"))
        #expect(error("\"tensorflow\"", "\"caffe\"") != "")
    }

    @Test("Invalid numbers of a trunk are rejected by name")
    func numbers() throws {
        let changes: [(String, (inout EfficientNetConfiguration) -> Void)] = [
            ("pooling_grids", { $0.poolingGrids = [8] }),
            ("pooling_grids", { $0.poolingGrids = [.max] }),
            ("pooling_grids", { $0.poolingGrids = [1, 0] }),
            ("pooling_grids", { $0.poolingGrids = Array(repeating: 1, count: 17) }),
        ]
        try EfficientNetConfiguration(.variant(.lite0), poolingGrids: [7]).validate(imageSize: 224)
        for (field, change) in changes {
            var configuration = EfficientNetConfiguration(.variant(.lite0))
            change(&configuration)
            let text = failure { try configuration.validate(imageSize: 224, "here") }
            #expect(text.contains("here.\(field)"), "\(field): \(text)")
        }
    }

    @Test("Invalid numbers of an architecture are rejected by name")
    func architectures() throws {
        let changes: [(String, (inout EfficientNetArchitecture) -> Void)] = [
            ("stem_width", { $0.stemWidth = 0 }), ("head_width", { $0.headWidth = 1 << 40 }),
            ("stages", { $0.stages = [] }), ("stages[3].kernel", { $0.stages[3].kernel = 4 }),
            ("stages[1].stride", { $0.stages[1].stride = 3 }),
            ("stages[1].expansion", { $0.stages[1].expansion = 0 }),
            ("stages[6].width", { $0.stages[6].width = -8 }),
            ("stages[0].depth", { $0.stages[0].depth = .max }),
        ]
        try EfficientNetConfiguration(.custom(EfficientNetArchitecture(.b0))).validate()
        for (field, change) in changes {
            var architecture = EfficientNetArchitecture(.b0)
            change(&architecture)
            let configuration = EfficientNetConfiguration(.custom(architecture))
            let text = failure { try configuration.validate() }
            #expect(text.contains("vision.trunk.architecture.\(field)"), "\(field): \(text)")
        }
    }
}
