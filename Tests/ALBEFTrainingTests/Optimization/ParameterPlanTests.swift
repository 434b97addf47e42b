import ALBEF
import ALBEFTraining
import OrderedCollections
import Testing
import Torch

@Suite("What trains, and at what rate")
struct ParameterPlanTests {
    /// Two image blocks, two text layers and three fusion layers.
    private func model(_ task: ALBEFConfiguration.Task = .pretraining) throws -> ALBEFModel {
        try ALBEFModel(
            ALBEFConfiguration(
                task: task,
                vision: .init(imageSize: 32, width: 16, depth: 2, heads: 2, mlpWidth: 32),
                text: .init(
                    vocabularySize: 20, width: 16, depth: 5, fusionLayer: 2, heads: 2,
                    mlpWidth: 32, positions: 12, maximumTokens: 10),
                embeddingWidth: 8),
            parameters: RandomParameters(generator: Generator(seed: 1)))
    }

    private func plan(
        _ changes: [String], newParts: Set<String> = [], preset: String = "albef",
        start: String? = "towers", model given: ALBEFModel? = nil
    ) throws -> ParameterPlan {
        try ParameterPlan(
            try given ?? model(),
            PlanSettings.configuration(changes, preset: preset, start: start), newParts: newParts)
    }

    private func factor(_ name: String, _ plan: ParameterPlan) throws -> Double {
        try #require(plan.entries.first { $0.name == name }, "\(name)").rateFactor
    }

    private let layer = "text_encoder.bert.encoder.layer"
    /// What ALBEF makes anew when it starts from a ViT and from BERT.
    private func isNew(_ name: String) -> Bool {
        name.contains("crossattention") || name.contains("_proj.") || name.hasPrefix("itm_head.")
            || name == "temp"
    }

    @Test("Where every parameter of a model is, in the words of the settings")
    func places() throws {
        let model = try model()
        let text = model.configuration.text
        let found = Dictionary(
            grouping: model.parameters.keys, by: { ParameterPlace($0, text).address })
        #expect(
            found.keys.sorted() == [
                "fusion.0", "fusion.1", "fusion.2", "heads.matching", "heads.projections",
                "heads.temperature", "heads.words", "image.0", "image.1", "image.embeddings",
                "image.norm", "text.0", "text.1", "text.embeddings",
            ])
        #expect(
            found["image.embeddings"]?.sorted() == [
                "visual_encoder.cls_token", "visual_encoder.patch_embed.proj.bias",
                "visual_encoder.patch_embed.proj.weight", "visual_encoder.pos_embed",
            ])
        #expect(found["text.0"]?.count == 16 && found["fusion.0"]?.count == 26)
        // Names that this program's models do not have yet, or never, are in some part.
        for (name, address) in [
            ("visual_encoder.norm_pre.weight", "image.embeddings"),
            ("visual_encoder.attn_pool.latent", "image.pool"),
            ("visual_encoder.trunk.conv_stem.weight", "image.trunk.0"),
            ("visual_encoder.trunk.blocks.0.1.conv_pw.bias", "image.trunk.0"),
            ("visual_encoder.trunk.blocks.12.0.conv_pw.bias", "image.trunk.12"),
            ("visual_encoder.trunk.conv_head.bias", "image.trunk.head"),
            ("visual_encoder.trunk", "image.trunk"),
            ("visual_encoder.patch_embed.norm.bias", "image.embeddings"),
            ("text_encoder.bert.norm.weight", "text.norm"),
            ("logit_bias", "heads.temperature"), ("text_encoder", "heads.words"),
            ("visual_encoder.blocks", "image.blocks"), ("", "heads."),
        ] {
            #expect(ParameterPlace(name, text).address == address)
        }
    }

    @Test(
        "Layers that read texts with and without images are the text encoder's, their images' part not"
    )
    func sharedLayers() throws {
        var configuration = try model().configuration
        configuration.text.fusionLayer = 0
        configuration.text.sharesLayers = true
        for (name, address, height) in [
            ("\(layer).1.attention.self.query.weight", "text.1", 4),
            ("\(layer).1.crossattention.self.query.weight", "fusion.1", 4),
            ("\(layer).4.output.dense.bias", "text.4", 1),
        ] {
            let place = ParameterPlace(name, configuration.text)
            #expect(place.address == address && place.height(below: configuration) == height)
        }
    }

    @Test("Without factors there are two groups, exactly those of before")
    func plain() throws {
        let model = try model()
        for start in ["towers", nil] {
            let plan = try plan([], start: start, model: model)
            #expect(plan.entries.allSatisfy { $0.rateFactor == 1 && $0.state == .trained })
            let found = plan.groups(of: model, .original, decay: 0.02)
            let expected = WeightDecay.original.groups(of: model, decay: 0.02)
            #expect(found.map(\.weightDecay) == expected.map(\.weightDecay))
            #expect(found.map(\.rateFactor) == [1, 1])
            #expect(
                found.map { $0.parameters.map(\.name) }
                    == expected.map { $0.parameters.map(\.name) })
        }
    }

    @Test("A part's rate, the new parts' and the layers' are multiplied")
    func factors() throws {
        let model = try model()
        let names = Set(model.parameters.keys.filter(isNew))
        let plan = try plan(
            [
                "optimizer.rates={image: 0.5, text: 0.25, fusion: 2, heads: 3}",
                "optimizer.layer_decay=0.5", "optimizer.new_parts_rate=8",
            ], newParts: names, model: model)
        let expected: [(String, Double)] = [
            // Two image blocks: decay^3, decay^2, decay^1, and 1 for the norm.
            ("visual_encoder.cls_token", 0.5 / 8), ("visual_encoder.pos_embed", 0.5 / 8),
            ("visual_encoder.patch_embed.proj.weight", 0.5 / 8),
            ("visual_encoder.blocks.0.attn.qkv.weight", 0.5 / 4),
            ("visual_encoder.blocks.1.norm2.bias", 0.5 / 2), ("visual_encoder.norm.weight", 0.5),
            // Five text layers in one stack, three of them in the fusion encoder.
            ("text_encoder.bert.embeddings.word_embeddings.weight", 0.25 / 64),
            ("text_encoder.bert.embeddings.LayerNorm.bias", 0.25 / 64),
            ("\(layer).0.output.dense.weight", 0.25 / 32),
            ("\(layer).1.output.dense.weight", 0.25 / 16),
            ("\(layer).2.output.dense.weight", 2 / 8.0),
            ("\(layer).4.attention.self.query.weight", 2 / 2.0),
            // What is new has its part's factor and its own, wherever it lies.
            ("\(layer).2.crossattention.self.query.weight", 2 * 8),
            ("vision_proj.weight", 3 * 8), ("itm_head.bias", 3 * 8), ("temp", 3 * 8),
            // Heads are the end of the stacks.
            ("text_encoder.cls.predictions.transform.dense.weight", 3),
        ]
        for (name, value) in expected { #expect(try factor(name, plan) == value, "\(name)") }
        // The groups hold every parameter once, the highest rate first.
        let groups = plan.groups(of: model, .matrices, decay: 0.02)
        #expect(
            groups.flatMap { $0.parameters.map(\.name) }.sorted() == model.parameters.keys.sorted())
        #expect(groups.map(\.rateFactor) == groups.map(\.rateFactor).sorted(by: >))
        for group in groups {
            for parameter in group.parameters {
                #expect(try factor(parameter.name, plan) == group.rateFactor)
            }
        }
    }

    @Test("Rates never fall from the embeddings to the heads", arguments: [0.65, 0.8, 0.95, 1])
    func monotonous(decay: Double) throws {
        let plan = try plan(["optimizer.layer_decay=\(decay)"])
        func rates(_ names: [String]) throws -> [Double] { try names.map { try factor($0, plan) } }
        for rates in [
            try rates(
                ["visual_encoder.pos_embed"]
                    + (0..<2).map { "visual_encoder.blocks.\($0).norm1.weight" }
                    + ["visual_encoder.norm.weight", "vision_proj.weight"]),
            try rates(
                ["text_encoder.bert.embeddings.LayerNorm.weight"]
                    + (0..<5).map { "\(layer).\($0).output.LayerNorm.weight" }
                    + ["text_proj.weight", "itm_head.weight"]),
        ] {
            #expect(zip(rates, rates.dropFirst()).allSatisfy { $0 <= $1 } && rates.last == 1)
            #expect((rates.first == 1) == (decay == 1))
            for (low, high) in zip(rates, rates.dropFirst()) {
                #expect(low == high || abs(low / high - decay) < 1e-12)
            }
        }
    }

    @Test(
        "A frozen name means its part and no more",
        arguments: [
            (["image"], ["image"]), (["image.0"], ["image.0"]),
            (["image.0-1"], ["image.0", "image.1"]), (["text.1-1"], ["text.1"]),
            (["fusion.0", "fusion.2"], ["fusion.0", "fusion.2"]),
            (["embeddings"], ["image.embeddings", "text.embeddings"]),
            (["text.embeddings", "image.norm"], ["text.embeddings", "image.norm"]),
            (["heads.temperature", "heads.words"], ["heads.temperature", "heads.words"]),
            (["visual_encoder.blocks.1"], ["image.1"]),
            (["itm_head", "vision_proj", "text_proj"], ["heads.matching", "heads.projections"]),
        ])
    func frozen(patterns: [String], addresses: [String]) throws {
        let model = try model()
        let plan = try plan(
            ["optimizer.frozen=[\(patterns.joined(separator: ", "))]"], model: model)
        let expected = model.parameters.keys.filter { name in
            let address = ParameterPlace(name, model.configuration.text).address
            return addresses.contains { address == $0 || address.hasPrefix("\($0).") }
        }
        #expect(plan.frozen == Set(expected) && !expected.isEmpty)
        let moving = plan.groups(of: model, .matrices, decay: 0.02)
            .flatMap { $0.parameters.map(\.name) }
        #expect(Set(moving) == Set(model.parameters.keys).subtracting(expected))
    }

    @Test("What was taken and what is new can be frozen as such, and single parameters too")
    func origins() throws {
        let model = try model()
        let names = Set(model.parameters.keys.filter(isNew))
        let taken = try plan(["optimizer.frozen=[taken]"], newParts: names, model: model)
        #expect(taken.frozen == Set(model.parameters.keys).subtracting(names))
        let new = try plan(["optimizer.frozen=[new]"], newParts: names, model: model)
        #expect(new.frozen == names)
        let one = "\(layer).0.output.dense.weight"
        #expect(try plan(["optimizer.frozen=['\(one)']"]).frozen == [one])
    }

    @Test(
        "A name that means nothing is refused with what there is",
        arguments: [
            "imag", "image.", "image.-1", "image.1-0", "image.0-1-2", "image.a", ".", "Image",
            "text.5", "text.norm", "visual_encoder.bloc", "visual_encoder.blocks.1.", "image.٣",
            "image.99999999999999999999", "taken",
        ])
    func nothing(pattern: String) throws {
        let error = #expect(throws: TrainingError.self) {
            try plan(
                ["optimizer.frozen=[text.0, '\(pattern)']"],
                start: pattern == "taken" ? nil : "towers")
        }
        #expect(
            error?.description
                == "configuration: optimizer.frozen names '\(pattern)', which this model does not"
                + " have; it has image (image.embeddings, image.norm, image.0 to image.1), text"
                + " (text.embeddings, text.0 to text.1), fusion (fusion.0 to fusion.2), heads"
                + " (heads.matching, heads.projections, heads.temperature, heads.words),"
                + " embeddings, taken and new, and the starts of parameter names, such as"
                + " 'visual_encoder.cls_token'")
    }

    @Test(
        "Settings that fit no part of the model are refused by name",
        arguments: [
            (
                ["optimizer.frozen=[image.0-11]"],
                "frozen names 'image.0-11', but the last block of this model's image encoder is"
                    + " image.1"
            ),
            (
                ["optimizer.frozen=[image, text, fusion, heads]"],
                "frozen freezes every part, so nothing would be trained; leave a part out"
            ),
            (
                ["optimizer.frozen=[taken]"],
                "frozen freezes every part, so nothing would be trained; leave a part out"
            ),
            (
                ["optimizer.new_parts_rate=10"],
                "new_parts_rate is 10.0, but the model that the run starts from has no new parts;"
                    + " set it to 1"
            ),
            (
                [
                    "optimizer.frozen=[heads.temperature]",
                    "objectives.contrastive.minimum_temperature=0.1",
                    "objectives.contrastive.temperature=0.2",
                ],
                "frozen freezes the temperature, but its value 0.07 is outside its bounds; change"
                    + " objectives.contrastive.minimum_temperature or maximum_temperature"
            ),
        ])
    func refused(changes: [String], message: String) throws {
        let error = #expect(throws: TrainingError.self) { try plan(changes) }
        #expect(error?.description == "configuration: optimizer.\(message)")
    }

    @Test("What no objective depends on does not count as trained")
    func unused() throws {
        let model = try model()
        let clip = try plan([], preset: "clip", model: model)
        let names = clip.entries.filter { $0.state == .unused }.map(\.name)
        #expect(
            names
                == model.parameters.keys.filter { name in
                    ["fusion", "heads.matching", "heads.words"].contains { start in
                        ParameterPlace(name, model.configuration.text).address.hasPrefix(start)
                    }
                })
        let error = #expect(throws: TrainingError.self) {
            try plan(
                ["optimizer.frozen=[image, text, heads.projections, heads.temperature]"],
                preset: "clip")
        }
        #expect(
            error?.description
                == "configuration: optimizer.frozen freezes every part that the objectives depend"
                + " on, so nothing would be trained; leave one of these parts out")
    }

    @Test("A retrieval model has no MLM head, and so no such name")
    func retrieval() throws {
        let error = #expect(throws: TrainingError.self) {
            try plan(
                ["optimizer.frozen=[heads.words]", "objectives.masked_language.weight=0"],
                model: try model(.retrieval))
        }
        #expect(error?.description.contains("heads.temperature), embeddings") == true)
    }
}
