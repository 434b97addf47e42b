import ALBEF
import OrderedCollections
import SystemPackage
import TestSupport
import Testing
import Torch

@Suite("A model started from towers")
struct StartingTests {
    @Test(
        "The image tower computes the same as in Python",
        arguments: [
            "timm-vit", "timm-deit3", "timm-clip", "timm-siglip", "hf-vit", "hf-vit-new",
            "hf-vit-prefixed", "hf-clip-vision", "hf-clip-vision-flat", "hf-siglip-vision-flat",
            "hf-clip", "hf-siglip", "open-clip-timm", "open-siglip",
        ])
    func imageTower(_ name: String) throws {
        let fixture = try TowerFixture(name)
        let start = try Self.start(image: fixture.path)
        let tokens = try start.model().visualEncoder(fixture.input("pixel_values"))
        let output = fixture.has("tokens") ? "tokens" : "image_tokens"
        if start.configuration.vision.normalizesTokens || fixture.has("tokens") == false {
            try fixture.expect(tokens, equals: output)
        } else {
            try fixture.expect(start.model().visualEncoder.norm(tokens), equals: output)
        }
    }

    @Test("A distilled DeiT starts a model without its second token")
    func distilled() throws {
        for name in ["timm-deit-distilled", "hf-deit"] {
            let start = try Self.start(image: try TowerFixture(name).path)
            #expect(start.parameters["visual_encoder.pos_embed"]?.shape == [1, 10, 12])
            #expect(
                start.reports[0].entries(.ignored).contains {
                    $0.reason?.contains("distillation token") == true
                })
        }
    }

    @Test(
        "The text tower computes the same as in Python",
        arguments: ["bert-mlm", "bert-tf", "bert-tied", "minilm"])
    func textTower(_ name: String) throws {
        let fixture = try TowerFixture(name)
        var plan = StartingPlan()
        let depth = (0...12).last { fixture.has("hidden.\($0)") } ?? 0
        plan.textLayers = depth
        plan.fusionLayers = 1
        let start = try Self.start(text: fixture.path, plan)
        let model = try start.model()
        let (ids, mask) = (try fixture.input("input_ids"), try fixture.input("attention_mask"))
        let rows = mask.unsqueezed(-1).to(.float32)
        let states = model.textEncoder.encode(ids, mask: mask)
        try fixture.expect(states, equals: "hidden.\(depth)", where: rows)
        if fixture.has("mlm_logits") {
            let head = try #require(model.maskedLanguage)
            try fixture.expect(head(states), equals: "mlm_logits", where: rows)
            #expect(!start.newParameters.contains { $0.contains("cls.predictions") })
        } else {
            #expect(start.newParameters.contains { $0.contains("cls.predictions") })
        }
    }

    @Test("A narrower MLP keeps the units of the largest weights unchanged")
    func narrow() throws {
        let path = try TowerFixture("minilm").path
        let whole = try Self.start(text: path)
        var plan = StartingPlan()
        plan.textMLPWidth = 5
        let narrow = try Self.start(text: path, plan)
        #expect(narrow.configuration.text.mlpWidth == 5)
        let prefix = "text_encoder.bert.encoder.layer.1."
        func weights(_ model: TowerModel, _ name: String) throws -> [[Float]] {
            let tensor = try #require(model.parameters[prefix + name])
            let values: [Float] = tensor.values()
            let width = tensor.size(tensor.rank - 1)
            return stride(from: 0, to: values.count, by: width).map {
                Array(values[$0..<$0 + width])
            }
        }
        let into = try weights(whole, "intermediate.dense.weight")
        let out = try weights(whole, "output.dense.weight")
        let products = into.indices.map { unit in
            into[unit].map { $0 * $0 }.reduce(0, +) * out.map { $0[unit] * $0[unit] }.reduce(0, +)
        }
        let kept = products.indices.sorted { products[$0] > products[$1] }.prefix(5).sorted()
        #expect(try weights(narrow, "intermediate.dense.weight") == kept.map { into[$0] })
        #expect(
            try weights(narrow, "output.dense.weight") == out.map { row in kept.map { row[$0] } })
        let bias = try weights(whole, "intermediate.dense.bias")[0]
        #expect(try weights(narrow, "intermediate.dense.bias")[0] == kept.map { bias[$0] })
        plan.textMLPWidth = 1_000
        #expect(throws: ModelFileError.self) { try Self.start(text: path, plan) }
    }

    @Test("The first layers become the text encoder, and the rest the fusion encoder")
    func layers() throws {
        let start = try Self.start(text: try TowerFixture("minilm").path)
        #expect(start.configuration.text.fusionLayer == 1)
        #expect(start.configuration.text.depth == 3)
        #expect(!start.configuration.isTrained)
        // Its 1_Pooling/config.json sets this pooling.
        #expect(start.configuration.text.pooling == .mean)
        #expect(
            try Self.start(text: TowerFixture("bert-mlm").path).configuration.text.pooling == .start
        )
        let isNew = Set(start.newParameters)
        for name in start.parameters.keys {
            let expected =
                name.contains("crossattention") || name.contains("cls.predictions")
                || ["vision_proj", "text_proj", "itm_head", "temp"].contains {
                    name.hasPrefix($0)
                }
            #expect(isNew.contains(name) == expected, "\(name)")
        }
    }

    @Test("Layers beyond the new model's are left out and reported")
    func fewerLayers() throws {
        var plan = StartingPlan()
        plan.textLayers = 1
        plan.fusionLayers = 1
        let start = try Self.start(text: try TowerFixture("minilm").path, plan)
        #expect(start.configuration.text.depth == 2)
        let left = start.reports[1].entries(.ignored).filter {
            $0.reason == "a layer beyond those of the new model"
        }
        #expect(left.count == 16)
    }

    @Test("Random weights have the towers' sizes, and all of them are new")
    func random() throws {
        var plan = StartingPlan()
        plan.takesWeights = false
        let start = try Self.start(plan)
        let taken = try Self.start()
        #expect(start.configuration == taken.configuration)
        #expect(start.newParameters == Array(start.parameters.keys))
        let name = "text_encoder.bert.embeddings.word_embeddings.weight"
        let (drawn, given) = (start.parameters[name], taken.parameters[name])
        #expect(try #require(drawn).isClose(to: #require(given)) == false)
    }

    @Test("Positions are resized by the source's filter")
    func positions() throws {
        var plan = StartingPlan()
        plan.imageSize = 20
        let fixture = try TowerFixture("hf-vit")
        let resized = try Self.start(image: fixture.path, plan)
        let given = try Self.start(image: fixture.path)
        #expect(resized.configuration.vision.imageSize == 20)
        let wanted = CheckpointParameters.interpolated(
            try #require(given.parameters["visual_encoder.pos_embed"]),
            to: resized.configuration.vision)
        let found = try #require(resized.parameters["visual_encoder.pos_embed"])
        #expect(found.isClose(to: wanted))
        #expect(
            try Self.start(image: TowerFixture("timm-vit").path)
                .configuration.vision.positionFilter == .antialiased)
    }

    @Test("The directory stores the new parameters, and opens as an untrained model")
    func directory() async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let text = try TowerFixture("minilm").path
            let start = try Self.start(text: text)
            let model = folder.appending("model")
            try start.write(to: model, tokenizer: #require(start.tokenizer))
            let opened = try ModelDirectory.open(model)
            #expect(opened.newParts == Set(start.newParameters))
            #expect(!opened.configuration.isTrained)
            #expect(opened.configuration == start.configuration)
        }
    }

    @Test(
        "Another vocabulary keeps rows, takes means of rows, or gets new ones", arguments: [1, 2])
    func words(seed: UInt64) throws {
        let fixture = try TowerFixture("bert-mlm")
        let given = try Self.start(text: fixture.path)
        var plan = StartingPlan()
        plan.words = StartingWords(
            rows: [
                .kept(4), .new, .mean([5, 6, 6]), .kept(0), .kept(59), .mean([7]), .new,
                .mean([8, 9, 10]),
            ], paddingToken: 3)
        let start = try Self.start(text: fixture.path, plan, seed: seed)
        #expect(start.configuration.text.vocabularySize == 8)
        #expect(start.configuration.text.paddingToken == 3)
        #expect(start.newParameters == given.newParameters)

        for name in [
            "text_encoder.bert.embeddings.word_embeddings.weight",
            "text_encoder.cls.predictions.bias",
        ] {
            let old = try #require(given.parameters[name])
            let new = try #require(start.parameters[name])
            #expect(new.shape == [8] + old.shape.dropFirst())
            for (row, source) in [(0, 4), (3, 0), (4, 59), (5, 7)] {
                #expect(new[row].isEqual(to: old[source]).to(.int64).min().scalar() == 1)
            }
            #expect(new[2].isClose(to: (old[5] + old[6] + old[6]) / 3))
            #expect(new[7].isClose(to: (old[8] + old[9] + old[10]) / 3))
            let mean = old.mean(0)
            let spread = ((old - mean) * (old - mean)).mean(0).sqrt()
            if new.rank == 2 {
                // Noise of a tenth of the deviation: six times that is not reached by 24 numbers.
                for row in [1, 6] {
                    let noise = (new[row] - mean).abs()
                    #expect((noise / spread).max().scalar() < 0.6)
                    #expect((noise / spread).mean().scalar() > 0.03)
                }
                #expect(!new[1].isClose(to: new[6]))
            } else {
                #expect(new[1].isClose(to: mean) && new[6].isClose(to: mean))
            }
            let entry = start.reports[1].entries.first { $0.name == name }
            #expect(entry?.reason == "3 rows kept, 3 made from glosses, 2 new")
        }
        let again = try Self.start(text: fixture.path, plan, seed: seed)
        for (name, tensor) in start.parameters {
            #expect(try #require(again.parameters[name]).isClose(to: tensor), "\(name)")
        }
        _ = try start.model()
    }

    @Test("New rows differ by seed; random weights have the sizes of the new vocabulary")
    func wordsAtRandom() throws {
        var plan = StartingPlan()
        plan.words = StartingWords(rows: [.new, .kept(1), .kept(0)], paddingToken: 2)
        let name = "text_encoder.bert.embeddings.word_embeddings.weight"
        let rows = try [1, 2].map { seed in
            try #require(Self.start(plan, seed: seed).parameters[name])
        }
        #expect(!rows[0][0].isClose(to: rows[1][0]))
        #expect(rows[0][1...].isClose(to: rows[1][1...]))
        plan.takesWeights = false
        let drawn = try Self.start(plan)
        #expect(drawn.parameters[name]?.shape == [3, 12])
        #expect(drawn.newParameters == Array(drawn.parameters.keys))
        plan.words?.rows = [.kept(60)]
        let error = #expect(throws: ModelFileError.self) { try Self.start(plan) }
        #expect(error?.description.contains("has 60 word embeddings, but token 0") == true)
    }

    private static func start(
        image: FilePath? = nil, text: FilePath? = nil, _ plan: StartingPlan = StartingPlan(),
        seed: UInt64 = 1
    ) throws -> TowerModel {
        try TowerModel(
            image: image ?? Fixtures.path("towers/timm-vit"),
            text: text ?? Fixtures.path("towers/minilm"), plan: plan,
            generator: Generator(seed: seed))
    }
}
