import ALBEF
import OrderedCollections
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("A model started from an EfficientNet")
struct TrunkStartTests {
    private static let text = Fixtures.path("towers/minilm")

    /// Writes a small EfficientNet as a package does, and returns the plan that reads it.
    private func write(
        _ fixture: EfficientNetFixture, to folder: FilePath, prefix: String = "",
        document: String? = nil
    ) throws -> (file: FilePath, plan: StartingPlan) {
        let file = folder.appending("model.safetensors")
        try SafetensorsWriter.write(
            fixture.state.map { .init(name: prefix + $0.name, tensor: $0.tensor) }, to: file)
        if let document { try ALBEFTests.write(document, to: folder.appending("config.json")) }
        var plan = StartingPlan()
        plan.trunk.form = fixture.configuration.form
        return (file, plan)
    }

    private func start(_ image: FilePath, _ plan: StartingPlan) throws -> TowerModel {
        try TowerModel(image: image, text: Self.text, plan: plan, generator: Generator(seed: 1))
    }

    private func timm(_ architecture: String) -> String {
        """
        {"architecture": "\(architecture)", "pretrained_cfg": {"input_size": [3, 40, 40],
        "mean": [0.25, 0.5, 0.75], "std": [0.5, 0.25, 0.125]}}
        """
    }

    @Test(
        "The trunk computes the same as in Python in every naming",
        arguments: [
            ("numbered-lite", "", nil), ("numbered-b", "module.", nil),
            ("timm-same", "", "tf_efficientnet_b0.ns_jft_in1k"),
            ("timm-symmetric", "_orig_mod.module.", "efficientnet_lite0"),
        ] as [(String, String, String?)])
    func parity(_ name: String, _ prefix: String, _ architecture: String?) throws {
        try withScratch { folder in
            let fixture = try EfficientNetFixture(name)
            let (file, plan) = try write(
                fixture, to: folder, prefix: prefix, document: architecture.map(timm))
            for path in [file, folder] {
                let model = try start(path, plan).model()
                let trunk = try #require(model.visualEncoder.trunk)
                #expect(try fixture.agrees(trunk(fixture.tensor("pixels")), "features"))
            }
        }
    }

    @Test("Every tensor is accounted for, and the layers above the trunk are new")
    func report() throws {
        try withScratch { folder in
            let fixture = try EfficientNetFixture("numbered-lite")
            let (file, plan) = try write(fixture, to: folder, prefix: "module.")
            let start = try start(file, plan)
            let vision = start.configuration.vision
            let width = start.configuration.text.width
            #expect(vision.width == width && vision.depth == 1 && vision.mlpWidth == 4 * width)
            #expect(vision.pooling == .mean && !vision.hasClassToken && vision.imageSize == 224)
            #expect(!start.configuration.isTrained)

            let entries = start.reports[0].entries
            #expect(
                entries.compactMap(\.source).sorted()
                    == fixture.state.names.map { "module.\($0)" }.sorted())
            #expect(
                Set(entries.filter { $0.action == .renamed }.map(\.name))
                    == Set(start.parameters.keys.filter { $0.hasPrefix("visual_encoder.trunk.") }))
            let isNew = Set(start.newParameters)
            for name in start.parameters.keys where name.hasPrefix("visual_encoder.") {
                #expect(isNew.contains(name) != name.hasPrefix("visual_encoder.trunk."), "\(name)")
            }
            #expect(isNew.contains("visual_encoder.patch_embed.norm.weight"))
        }
    }

    @Test("The plan determines the layers above the trunk, and the directory stores them")
    func plan() throws {
        try withScratch { folder in
            let fixture = try EfficientNetFixture("timm-same")
            var (file, plan) = try write(
                fixture, to: folder, document: timm("tf_efficientnet_b0"))
            var vision = try start(file, plan).configuration.vision
            #expect(vision.imageSize == 40 && vision.mean == [0.25, 0.5, 0.75])
            #expect(vision.standardDeviation == [0.5, 0.25, 0.125])
            plan.imageSize = 48
            plan.trunk.layers = 0
            plan.trunk.width = 20
            plan.trunk.heads = 5
            plan.trunk.pooling = .classToken
            plan.trunk.poolingGrids = [1, 6]
            plan.trunk.includesHead = false
            let start = try start(file, plan)
            vision = start.configuration.vision
            #expect(vision.imageSize == 48 && vision.depth == 0 && vision.heads == 5)
            #expect(vision.tokenCount == 38 && vision.hasClassToken)
            #expect(vision.trunk?.featureWidth == 40 && vision.trunk?.poolingGrids == [1, 6])
            let path = folder.appending("model")
            try start.write(to: path, tokenizer: #require(start.tokenizer))
            let opened = try ModelDirectory.open(path)
            #expect(opened.configuration == start.configuration)
            #expect(opened.newParts == Set(start.newParameters))
        }
    }

    @Test(
        "Heads are about 64 wide and divide the width",
        arguments: [
            (12, 1), (128, 2), (256, 4), (310, 2), (384, 6), (768, 12), (1000, 10),
        ])
    func heads(_ width: Int, _ heads: Int) throws {
        try withScratch { folder in
            var (file, plan) = try write(EfficientNetFixture("numbered-lite"), to: folder)
            (plan.trunk.width, plan.trunk.layers) = (width, 0)
            let wanted = width == 310 ? 2 : heads
            #expect(try start(file, plan).configuration.vision.heads == wanted)
        }
    }

    @Test("Input size and normalisation follow from the weights if no document states them")
    func standards() throws {
        for (variant, naming, architecture, mean, deviation) in [
            (EfficientNetVariant.lite0, .numbered, nil, 127.0 / 255, 128.0 / 255),
            (.b0, .numbered, nil, 0.485, 0.229),
            (.lite0, EfficientNetNaming.timm, "tf_efficientnet_lite0", 127.0 / 255, 128.0 / 255),
            (.lite1, .timm, "efficientnet_lite1", 0.485, 0.229),
        ] as [(EfficientNetVariant, EfficientNetNaming, String?, Double, Double)] {
            var state = NamedTensors()
            let zero = TensorStorage(byteCount: 4) { _ in }
            let plan = EfficientNetPlan(EfficientNetConfiguration(.variant(variant)))
            for (name, shape) in naming.recipes(plan).flatMap(\.tensors) {
                state[name] = try StoredTensor(
                    dtype: .float32, shape: shape, strides: shape.map { _ in 0 }, storage: zero)
            }
            var options = EfficientNetImport.Options()
            options.timmArchitecture = architecture
            let found = try EfficientNetImport(state, file: "x", options: options)
            #expect(found.imageSize == variant.imageSize)
            #expect(found.mean[0] == mean && found.standardDeviation[0] == deviation)
        }
    }

    @Test("Plans that cannot be carried out are rejected with the file's name")
    func refusals() throws {
        try withScratch { folder in
            let fixture = try EfficientNetFixture("timm-same")
            let (file, plan) = try write(fixture, to: folder)
            func refused(
                _ image: FilePath? = nil, _ change: (inout StartingPlan) -> Void = { _ in }
            ) -> String {
                var plan = plan
                change(&plan)
                let text = failure { _ = try start(image ?? file, plan) }
                #expect(text.hasPrefix("\(image ?? file)"), "\(text)")
                return text
            }
            #expect(refused().contains("config.json"))
            try ALBEFTests.write(timm("mobilenetv3_large"), to: folder.appending("config.json"))
            #expect(refused().contains("mobilenetv3_large"))
            try ALBEFTests.write(timm("tf_efficientnet_b0"), to: folder.appending("config.json"))
            #expect(refused { $0.trunk.form = nil }.contains("blocks."))
            #expect(refused { $0.trunk.poolingGrids = [9] }.contains("pooling_grids"))
            #expect(refused { $0.trunk.width = 1 << 62 }.contains("width"))
            #expect(refused { $0.trunk.layers = -1 }.contains("vision.depth"))
            #expect(refused { ($0.trunk.width, $0.trunk.heads) = (64, 7) }.contains("vision.heads"))
            #expect(refused { $0.imageSize = 0 }.contains("vision.image_size"))
            #expect(
                refused {
                    $0.trunk.form = .custom(
                        EfficientNetArchitecture(
                            stemWidth: .max, stages: [], headWidth: 1, activation: .silu,
                            squeezes: true))
                }.contains("stem_width"))
            let transformer = Fixtures.path("towers/timm-vit")
            let text = failure {
                var plan = StartingPlan()
                plan.trunk.layers = 2
                _ = try start(transformer, plan)
            }
            #expect(text.contains("is not an EfficientNet"))
            #expect(try TowerModel.recognizes(file))
            #expect(
                failure { _ = try TowerModel(importing: file) }.contains("albef models create"))
        }
    }
}
