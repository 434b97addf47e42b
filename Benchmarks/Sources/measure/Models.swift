import ALBEF
import Torch

/// Models of the paper's sizes with random weights: speed does not depend on the values.
///
/// Each kind has only the layers that are measured, so that a process does not hold gigabytes that
/// nothing reads.
final class Models {
    private var images: [String: ALBEFModel] = [:]
    private var readers: [String: ALBEFModel] = [:]
    private var trunks: [ComputeType: EfficientNet] = [:]

    /// ViT-B/16 for images of `side` pixels, in front of a text encoder of two small layers; with
    /// the model `tiny`, two blocks of width 192.
    func imageEncoder(_ request: Request) throws -> ALBEFModel {
        let side = try request.number(.side, request.side)
        let isTiny = try request.isTiny
        return try kept(&images, "\(side) \(isTiny)", request) {
            ALBEFConfiguration(
                task: .retrieval,
                vision: isTiny
                    ? .init(imageSize: side, width: 192, depth: 2, heads: 3, mlpWidth: 768)
                    : .init(imageSize: side),
                text: .init(
                    vocabularySize: 100, width: 64, depth: 2, fusionLayer: 1, heads: 1,
                    mlpWidth: 64))
        }
    }

    /// The text encoder and the fusion encoder of six layers each, behind an image encoder of one
    /// block, which is not used; with the model `tiny`, two layers each of width 192.
    ///
    /// - Parameter patches: the tokens of an image, class token included.
    func reader(patches: Int, _ request: Request) throws -> ALBEFModel {
        let side = Int(Double(patches - 1).squareRoot().rounded()) * 16
        let isTiny = try request.isTiny
        return try kept(&readers, "\(patches) \(isTiny)", request) {
            isTiny
                ? ALBEFConfiguration(
                    task: .retrieval,
                    vision: .init(imageSize: side, width: 192, depth: 1, heads: 3, mlpWidth: 192),
                    text: .init(
                        vocabularySize: 2000, width: 192, depth: 4, fusionLayer: 2, heads: 3,
                        mlpWidth: 768, positions: 64))
                : ALBEFConfiguration(task: .retrieval, vision: .init(imageSize: side, depth: 1))
        }
    }

    /// EfficientNet-Lite0, the trunk of the model `photos`.
    func efficientNet(_ request: Request) throws -> EfficientNet {
        let type = (request.precision ?? .float32).computeType
        if let known = trunks[type] { return known }
        let scope = ParameterScope(
            source: RandomParameters(generator: try Generator(seed: 1)), computeType: type)
        let made = try EfficientNet(scope, EfficientNetConfiguration())
        trunks[type] = made
        return made
    }

    private func kept(
        _ models: inout [String: ALBEFModel], _ size: String, _ request: Request,
        _ configuration: () -> ALBEFConfiguration
    ) throws -> ALBEFModel {
        let precision = request.precision ?? .float32
        let name = "\(size) \(precision)"
        if let known = models[name] { return known }
        if models.count == 4 { models = [:] }  // each takes up to half a gigabyte
        let model = try ALBEFModel(
            configuration(), parameters: RandomParameters(generator: try Generator(seed: 1)),
            computeType: precision.computeType)
        models[name] = model
        return model
    }
}
