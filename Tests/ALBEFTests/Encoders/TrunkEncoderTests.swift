import ALBEF
import OrderedCollections
import RetrievalTesting
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("An image encoder on a convolutional trunk")
struct TrunkEncoderTests {
    /// One form of such an encoder.
    struct Form: Sendable, CustomTestStringConvertible {
        var grids: [Int] = []
        var pooling = ALBEFConfiguration.Vision.Pooling.mean
        var depth = 2
        var includesHead = true
        var hasPatchBias = true

        var vision: ALBEFConfiguration.Vision {
            var trunk = TinyModel.trunk
            trunk.poolingGrids = grids
            trunk.includesHead = includesHead
            var vision = ALBEFConfiguration.Vision(
                trunk: trunk, imageSize: 44, width: 12, depth: depth, heads: 3)
            vision.pooling = pooling
            vision.hasClassToken = pooling == .classToken
            vision.hasPatchBias = hasPatchBias
            return vision
        }

        var testDescription: String { "\(grids) \(pooling) \(depth)" }
    }

    static let forms = [
        Form(), Form(grids: [1, 3], pooling: .classToken, depth: 1),
        Form(pooling: .attention, depth: 0), Form(grids: [2], includesHead: false),
        Form(pooling: .classToken, depth: 0, hasPatchBias: false),
    ]

    private func encoder(
        _ vision: ALBEFConfiguration.Vision
    ) throws -> (encoder: VisionTransformer, scope: ParameterScope) {
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 11)))
        return (try VisionTransformer(scope, vision), scope)
    }

    private func pixels(_ count: Int = 2, side: Int = 44) throws -> Tensor {
        .normal([count, 3, side, side], generator: try Generator(seed: 4))
    }

    @Test(
        "The encoder applies trunk, norm, linear map, positions and blocks in turn",
        arguments: forms)
    func composition(_ form: Form) throws {
        let (encoder, scope) = try encoder(form.vision)
        // Norms and biases that change their input.
        let generator = try Generator(seed: 12)
        for parameter in scope.parameters.values {
            let value = parameter.value
            parameter.value = value + Tensor.normal(value.shape, generator: generator) * 0.1
        }
        func parameter(_ name: String) throws -> Tensor {
            try #require(scope.parameters["visual_encoder.\(name)"], "\(name)").value
        }
        let pixels = try pixels()
        let map = try EfficientNet(scope, #require(form.vision.trunk))(pixels)
        #expect(map.shape == [2, form.includesHead ? 24 : 16, 6, 6])
        let maps =
            form.grids.isEmpty ? [map] : form.grids.map { map.averagePooled(rows: $0, columns: $0) }
        var x = Tensor.concatenated(maps.map { $0.flattened(from: 2).transposed() }, 1)
        let centred = x - x.mean(2, keepingDimensions: true)
        let variance = (centred * centred).mean(2, keepingDimensions: true)
        x =
            try centred / (variance + 1e-6).sqrt() * parameter("patch_embed.norm.weight")
            + parameter("patch_embed.norm.bias")
        x = try x.matmul(parameter("patch_embed.proj.weight").transposed())
        if form.hasPatchBias { x = x + (try parameter("patch_embed.proj.bias")) }
        if form.pooling == .classToken {
            x = Tensor.concatenated([try parameter("cls_token").expanded(2, 1, 12), x], 1)
        }
        x = x + (try parameter("pos_embed"))
        for block in encoder.blocks { x = block(x) }
        x = encoder.norm(x)

        let tokens = encoder(pixels)
        #expect(tokens.shape == [2, form.vision.tokenCount, 12])
        #expect(tokens.isClose(to: x, relative: 1e-4, absolute: 1e-5))
        if form.pooling == .mean {
            #expect(encoder.pooled(tokens).isClose(to: x.mean(1), relative: 1e-4, absolute: 1e-5))
        }
        // The map can be computed once and shared.
        let shared = encoder.tokens(ofMap: encoder.trunkMap(pixels))
        #expect(shared.values() == tokens.values(as: Float.self))
    }

    @Test("The encoder requests the parameters of the layout in its order", arguments: forms)
    func layout(_ form: Form) throws {
        let scope = try encoder(form.vision).scope
        let listed = ParameterLayout(ALBEFConfiguration(vision: form.vision)).parameters.filter {
            $0.name.hasPrefix("visual_encoder.")
        }
        #expect(Set(listed.map(\.name)) == Set(scope.parameters.keys))
        for parameter in listed {
            #expect(scope.parameters[parameter.name]?.value.shape == parameter.shape)
        }
        #expect(listed.contains { $0.name == "visual_encoder.trunk.conv_stem.weight" })
        #expect(
            listed.contains { $0.name == "visual_encoder.patch_embed.proj.bias" }
                == form.hasPatchBias)
    }

    @Test("Every parameter gets a gradient, except frozen ones", arguments: [false, true])
    func gradients(_ isCheckpointed: Bool) throws {
        for frozen in ["nothing", "visual_encoder.trunk."] {
            let (encoder, scope) = try encoder(Form().vision)
            for (name, parameter) in scope.parameters where !name.hasPrefix(frozen) {
                parameter.value = parameter.value.requiringGrad()
            }
            let state = encoder.pooled(encoder(try pixels(), isCheckpointed: isCheckpointed))
            let target = Tensor.normal(state.shape, generator: try Generator(seed: 5))
            try (state * target).sum().backward()
            for (name, parameter) in scope.parameters {
                guard !name.hasPrefix(frozen) else {
                    #expect(parameter.value.grad == nil, "\(name)")
                    continue
                }
                let largest = try #require(parameter.value.grad, "\(name)").abs().max().scalar()
                #expect(largest > 0 && largest.isFinite, "\(name)")
            }
        }
    }

    @Test("The encoder has one token per place of the map, or per cell of the grids")
    func sizes() {
        var vision = Form().vision
        for (size, side) in [(1, 1), (8, 1), (44, 6), (48, 6), (49, 7)] {
            vision.imageSize = size
            #expect(vision.gridSide == side && vision.patchCount == side * side)
        }
        vision.trunk?.poolingGrids = [1, 6]
        #expect(vision.gridSide == nil && vision.patchCount == 37 && vision.tokenCount == 37)
        vision.hasClassToken = true
        #expect(vision.tokenCount == 38)
        vision.trunk = nil
        #expect(vision.gridSide == 6)
    }

    @Test("Settings that do not fit are rejected by name")
    func validation() throws {
        let changes: [(String, (inout ALBEFConfiguration.Vision) -> Void)] = [
            ("vision.trunk.pooling_grids", { $0.trunk?.poolingGrids = [1, 7] }),
            (
                "vision.trunk.pooling_grids",
                {
                    $0.imageSize = 8; $0.trunk?.poolingGrids = [2]
                }
            ),
            ("vision.patch_size", { $0.patchSize = 16 }), ("vision.depth", { $0.depth = -1 }),
            ("vision.image_size", { $0.imageSize = 0 }), ("vision.heads", { $0.heads = 5 }),
            ("vision.pooling", { $0.pooling = .classToken }),
            (
                "vision.depth",
                {
                    $0.trunk = nil; $0.imageSize = 48; $0.depth = 0
                }
            ),
            (
                "vision.trunk.architecture.stages",
                {
                    $0.trunk?.form = .custom(
                        EfficientNetArchitecture(
                            stemWidth: 8, stages: [], headWidth: 8, activation: .relu6,
                            squeezes: false))
                }
            ),
        ]
        for form in Self.forms { try ALBEFConfiguration(vision: form.vision).validate() }
        for (field, change) in changes {
            var vision = Form().vision
            change(&vision)
            let text = failure { try ALBEFConfiguration(vision: vision).validate() }
            #expect(text.contains(field), "\(field): \(text)")
        }
    }

    private func model(_ vision: ALBEFConfiguration.Vision) throws -> ALBEFModel {
        var configuration = TinyObjective.configuration
        configuration.vision = vision
        return try ALBEFModel(
            configuration, parameters: RandomParameters(generator: Generator(seed: 1)))
    }

    @Test("A heat map has the places of the map, and needs one grid")
    func heat() throws {
        let batch = try TinyObjective.batch(2)
        for form in Self.forms {
            let model = try model(form.vision)
            let texts = try model.encodeTexts(batch.ids, mask: batch.mask)
            let images = try model.encodeImages(pixels())
            func map() throws -> GradCAM { try model.gradCAM(texts, tokens: images.tokens) }
            if form.grids.isEmpty {
                #expect(try map().sentence.shape == [2, 6, 6])
            } else {
                let grids = form.grids.map { "\($0) x \($0)" }.joined(separator: ", ")
                let text = failure { _ = try map() }
                #expect(text.contains("one grid") && text.contains(grids), "\(text)")
            }
        }
    }

    @Test("Positions are resized to another size of the map; those of grids are kept")
    func otherSizes() throws {
        try withScratch { folder in
            for form in [Form(), Form(grids: [1, 3], pooling: .classToken)] {
                let path = folder.appending("model")
                let model = try model(form.vision)
                let vocabulary = Fixtures.tinyVocabulary
                try model.write(to: path, vocabulary: vocabulary)
                let directory = try ModelDirectory.open(path)
                #expect(directory.configuration == model.configuration)
                let larger = try ALBEFModel(directory, imageSize: 61)
                let tokens = try larger.encodeImages(pixels(side: 61)).tokens
                #expect(tokens.size(1) == (form.grids.isEmpty ? 64 : 11))
                let name = "visual_encoder.pos_embed"
                let found = try #require(larger.parameters[name]).value
                let stored = try #require(model.parameters[name]).value
                #expect((found.shape == stored.shape) == !form.grids.isEmpty)
                if found.shape == stored.shape {
                    #expect(found.values() == stored.values(as: Float.self))
                }
                #expect(failure { _ = try larger.encodeImages(pixels()) }.contains("61"))
                let small = failure { _ = try ALBEFModel(directory, imageSize: 9) }
                #expect(small.contains("pooling_grids") == !form.grids.isEmpty)
            }
        }
    }

    @Test("config.json keeps the trunk, and unknown and missing keys within it are named")
    func document() throws {
        try withScratch { folder in
            let path = folder.appending("model")
            try model(Form(grids: [1, 3]).vision)
                .write(to: path, vocabulary: Fixtures.tinyVocabulary)
            let file = path.appending("config.json")
            let good = try text(of: file)
            func opened(_ old: String, _ new: String) throws -> String {
                #expect(good.contains(old))
                try write(good.replacing(old, with: new), to: file)
                return failure { _ = try ModelDirectory.open(path) }
            }
            #expect(try opened("1", "1") == "")
            #expect(
                try opened("\"convention\"", "\"conviction\"").contains(
                    "the unknown key \"vision.trunk.conviction\""))
            #expect(
                try opened("\"includes_head\" : true,", "").contains(
                    "lacks the key \"vision.trunk.includes_head\""))
            #expect(
                try opened("\"stem_width\"", "\"stern_width\"").contains(
                    "the unknown key \"vision.trunk.architecture.stern_width\""))
            #expect(
                try opened("\"kernel\" : 5,", "").contains(
                    "lacks the key \"vision.trunk.architecture.stages[1].kernel\""))
            #expect(
                try opened("\"custom\"", "\"b0\"").contains(
                    "the unknown key \"vision.trunk.architecture\""))
            #expect(try opened("\"custom\"", "7").contains("vision.trunk"))
            #expect(try opened("\"expansion\" : 3", "\"expansion\" : 300").contains("expansion"))
            #expect(try opened("\"head_width\" : 24", "\"head_width\" : 25").contains("[25"))
            #expect(try opened("\"trunk\"", "\"trunc\"").contains("vision.trunc"))
        }
    }

    @Test("A model without a trunk has a null trunk in config.json")
    func without() throws {
        try withScratch { folder in
            let path = folder.appending("model")
            try TinyModel().write(to: path)
            let file = path.appending("config.json")
            let good = try text(of: file)
            #expect(good.contains("\"trunk\" : null"))
            #expect(try ModelDirectory.open(path).configuration.vision.trunk == nil)
            try write(good.replacing("\"trunk\" : null,", with: ""), to: file)
            #expect(
                failure { _ = try ModelDirectory.open(path) }.contains(
                    "lacks the key \"vision.trunk\""))
        }
    }
}
