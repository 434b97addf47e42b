import ALBEF
import Torch

/// Models of the paper's sizes with random weights: speed does not depend on the values.
///
/// Each kind has only the layers that are measured, so that a process does not hold gigabytes that
/// nothing reads.
final class Models {
    private var images: [String: ALBEFModel] = [:]
    private var readers: [String: ALBEFModel] = [:]
    private var trunk: EfficientNet?

    /// ViT-B/16 for images of a side, in front of a text encoder of two small layers.
    func imageEncoder(side: Int, _ precision: Request.Precision) throws -> ALBEFModel {
        try kept(&images, "\(side) \(precision)") {
            try Self.model(
                ALBEFConfiguration(
                    task: .retrieval, vision: .init(imageSize: side),
                    text: .init(
                        vocabularySize: 100, width: 64, depth: 2, fusionLayer: 1, heads: 1,
                        mlpWidth: 64)), precision)
        }
    }

    /// The text encoder and the fusion encoder of six layers each, behind an image encoder of one
    /// block, which is not used.
    ///
    /// - Parameter patches: the tokens of an image, class token included.
    func reader(patches: Int, _ precision: Request.Precision) throws -> ALBEFModel {
        let side = Int(Double(patches - 1).squareRoot().rounded()) * 16
        return try kept(&readers, "\(patches) \(precision)") {
            try Self.model(
                ALBEFConfiguration(task: .retrieval, vision: .init(imageSize: side, depth: 1)),
                precision)
        }
    }

    /// EfficientNet-Lite0, the trunk of the model `photos`.
    func efficientNet() throws -> EfficientNet {
        if let trunk { return trunk }
        let scope = ParameterScope(source: RandomParameters(generator: try Generator(seed: 1)))
        let made = try EfficientNet(scope, EfficientNetConfiguration())
        trunk = made
        return made
    }

    private func kept(
        _ models: inout [String: ALBEFModel], _ name: String, _ make: () throws -> ALBEFModel
    ) throws -> ALBEFModel {
        if let known = models[name] { return known }
        if models.count == 4 { models = [:] }
        let model = try make()
        models[name] = model
        return model
    }

    private static func model(
        _ configuration: ALBEFConfiguration, _ precision: Request.Precision
    ) throws -> ALBEFModel {
        let model = try ALBEFModel(
            configuration, parameters: RandomParameters(generator: try Generator(seed: 1)))
        // PRECISION: the one place where a request's precision reaches the library, which has
        // single precision alone so far.
        switch precision {
        case .float32, .automatic: return model
        }
    }
}
