import ALBEF
import ALBEFTraining
import Foundation
import OrderedCollections
import TestSupport
import Testing
import Torch
import WeightFiles

@Suite("Learning rates by layer, as PyTorch's AdamW moves timm's groups")
struct LayerDecayParityTests {
    private let file: SafetensorsFile

    init() throws {
        file = try SafetensorsFile(Fixtures.path("optimizer/vit-layer-decay.safetensors"))
    }

    private func metadata<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
        try JSONDecoder().decode(type, from: Data(try #require(file.metadata[key]).utf8))
    }

    private func tensor(_ name: String) throws -> Tensor { try Tensor(file.tensor(name)).clone() }

    /// A model whose image encoder has the fixture's shape and weights.
    private func model() throws -> ALBEFModel {
        let model = try ALBEFModel(
            ALBEFConfiguration(
                vision: .init(
                    imageSize: 8, patchSize: 4, width: 8, depth: 3, heads: 2, mlpWidth: 16),
                text: .init(
                    vocabularySize: 20, width: 8, depth: 2, fusionLayer: 1, heads: 2, mlpWidth: 16,
                    positions: 12, maximumTokens: 10),
                embeddingWidth: 8),
            parameters: RandomParameters(generator: Generator(seed: 1)))
        for (name, parameter) in model.parameters where name.hasPrefix("visual_encoder.") {
            let start = try tensor("start/\(name)")
            #expect(start.shape == parameter.value.shape, "\(name)")
            parameter.value = start
        }
        return model
    }

    private func plan(_ model: ALBEFModel) throws -> ParameterPlan {
        let decay = try metadata("layer_decay", as: Double.self)
        return try ParameterPlan(
            model, PlanSettings.configuration(["optimizer.layer_decay=\(decay)"]), newParts: [])
    }

    @Test("Every parameter has the factor and the decay that timm gives it")
    func factors() throws {
        let model = try model()
        let expected = try metadata("factors", as: [String: [Double]].self)
        let decay = try metadata("weight_decay", as: Double.self)
        var found: [String: [Double]] = [:]
        for group in try plan(model).groups(of: model, .matrices, decay: decay) {
            for parameter in group.parameters where parameter.name.hasPrefix("visual_encoder.") {
                found[parameter.name] = [group.rateFactor, group.weightDecay]
            }
        }
        #expect(found.keys.sorted() == expected.keys.sorted() && found.count == 42)
        for (name, values) in expected {
            let pair = try #require(found[name])
            #expect(abs(pair[0] - values[0]) < 1e-15 && pair[1] == values[1], "\(name)")
        }
    }

    @Test("Three steps at changing rates end with PyTorch's weights")
    func steps() throws {
        let model = try model()
        let decay = try metadata("weight_decay", as: Double.self)
        let optimizer = AdamW(
            try plan(model).groups(of: model, .matrices, decay: decay), learningRate: 0)
        var (compared, moved) = (0, 0.0)
        for (step, rate) in try metadata("rates", as: [Double].self).enumerated() {
            optimizer.learningRate = rate
            optimizer.clearGradients()
            for (name, parameter) in model.parameters where name.hasPrefix("visual_encoder.") {
                parameter.value.setGrad(try tensor("gradient/\(step)/\(name)"))
            }
            try optimizer.step()
            for (name, parameter) in model.parameters where name.hasPrefix("visual_encoder.") {
                let expected = try tensor("after/\(step)/\(name)")
                let difference = (parameter.value - expected).abs().max().scalar()
                // Weights are around 0.3; single precision has steps of 3e-8 there.
                #expect(difference <= 2.5e-7, "step \(step), \(name): \(difference)")
                moved = max(moved, (expected - (try tensor("start/\(name)"))).abs().max().scalar())
                compared += 1
            }
        }
        #expect(compared == 3 * 42 && moved > 4e-3)
    }
}

/// Settings for plans, which read no file.
enum PlanSettings {
    static func configuration(
        _ changes: [String], preset: String = "albef", start: String? = "towers"
    ) throws -> TrainingConfiguration {
        var file = try SettingsFile(preset: preset)
        let base = ["data.train=[a.json]", "model.vocabulary=v.txt", "model.start=\(start ?? "")"]
        for assignment in base + changes { try file.apply(assignment: assignment) }
        return try file.configuration()
    }
}
