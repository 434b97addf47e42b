package import ALBEF
import Foundation
import SystemPackage
package import Testing
package import Torch
package import WeightFiles

/// Numbers that the Python implementation computed in double precision, and its weights.
package struct GoldenSet {
    package let file: SafetensorsFile
    /// The scalar values: losses, temperatures, pointers.
    package let scalars: [String: Double]
    private let errors: [String: Double]
    private let sizes: Sizes

    /// The reference's own names for the sizes.
    private struct Sizes: Decodable {
        var image_size, patch_size, vision_width, vision_depth, vision_heads, vision_mlp_ratio: Int
        var vocab_size, hidden_size, num_hidden_layers, fusion_layer, num_attention_heads: Int
        var intermediate_size, max_position_embeddings, embed_dim: Int
    }

    package init(_ name: String) throws {
        file = try SafetensorsFile(Fixtures.path("golden/\(name).safetensors"))
        let decoder = JSONDecoder()
        sizes = try decoder.decode(
            Sizes.self, from: Data(file.metadata["config", default: ""].utf8))
        errors = try decoder.decode(
            [String: Double].self, from: Data(file.metadata["f32_err", default: ""].utf8))
        scalars = try decoder.decode(
            [String: Double].self, from: Data(file.metadata["scalars", default: "{}"].utf8))
    }

    package func configuration(_ dialect: Dialect, _ task: ALBEFConfiguration.Task)
        -> ALBEFConfiguration
    {
        ALBEFConfiguration(
            dialect: dialect, task: task,
            vision: .init(
                imageSize: sizes.image_size, patchSize: sizes.patch_size,
                width: sizes.vision_width, depth: sizes.vision_depth, heads: sizes.vision_heads,
                mlpWidth: sizes.vision_width * sizes.vision_mlp_ratio),
            text: .init(
                vocabularySize: sizes.vocab_size, width: sizes.hidden_size,
                depth: sizes.num_hidden_layers, fusionLayer: sizes.fusion_layer,
                heads: sizes.num_attention_heads, mlpWidth: sizes.intermediate_size,
                positions: sizes.max_position_embeddings),
            embeddingWidth: sizes.embed_dim)
    }

    package func model(_ dialect: Dialect, _ task: ALBEFConfiguration.Task) throws -> ALBEFModel {
        try ALBEFModel(configuration(dialect, task), parameters: Weights(file: file))
    }

    package func input(_ name: String) throws -> Tensor {
        try Tensor(file.tensor("inputs/\(name)"))
    }
    package func output(_ name: String) throws -> Tensor {
        try Tensor(file.tensor("outputs/\(name)"))
    }

    /// Expects a tensor within 20 times the reference's own single-precision error, plus 1e-6.
    package func expect(
        _ tensor: Tensor, equals name: String, where rows: Tensor? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let golden = try output(name)
        #expect(tensor.shape == golden.shape, "\(name)", sourceLocation: sourceLocation)
        guard tensor.shape == golden.shape else { return }
        var difference = (tensor - golden).abs()
        if let rows { difference = difference * rows }
        let bound = 20 * errors[name, default: 0] + 1e-6
        let found = difference.max().scalar()
        #expect(found <= bound, "\(name): \(found) > \(bound)", sourceLocation: sourceLocation)
    }

    /// Expects a number within 20 times the reference's own single-precision error, plus 1e-6, plus
    /// the resolution of single precision at that size, because the reference's error of a single
    /// number may be tiny by chance.
    package func expect(
        _ value: Double, equalsScalar name: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let bound = 20 * errors[name, default: 0] + 1e-6 + abs(value) * 0x1p-23
        let found = abs(value - scalars[name, default: .nan])
        #expect(found <= bound, "\(name): \(found) > \(bound)", sourceLocation: sourceLocation)
    }

    /// Returns the weights before the first step: the student's, or the momentum teacher's.
    package func weights(twins: Bool = false) -> some ParameterSource {
        Weights(file: file, twins: twins)
    }

    private struct Weights: ParameterSource {
        let file: SafetensorsFile
        var twins = false

        func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
            let twin = twins && MomentumTeacher.hasTwin(name) ? ParameterLayout.twin(of: name) : nil
            return try Tensor(file.tensor("state/\(twin ?? name)")).clone()
        }
    }
}
