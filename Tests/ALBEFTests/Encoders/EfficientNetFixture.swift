import ALBEF
import Foundation
import SystemPackage
import TestSupport
import Testing
import Torch
import WeightFiles

/// Python's results with a small EfficientNet, and its state dictionary.
struct EfficientNetFixture {
    static let path = Fixtures.path("efficientnet/tiny.safetensors")
    /// One name for each naming, padding rule and activation.
    static let names = ["numbered-lite", "numbered-b", "timm-same", "timm-symmetric"]

    let name: String
    let file: SafetensorsFile
    /// The configuration that equals Python's settings.
    let configuration: EfficientNetConfiguration
    private let errors: [String: Double]

    init(_ name: String) throws {
        self.name = name
        file = try SafetensorsFile(Self.path)
        let decoder = JSONDecoder()
        configuration = try #require(
            decoder.decode(
                [String: EfficientNetConfiguration].self,
                from: Data(file.metadata["configurations", default: ""].utf8))[name])
        errors = try decoder.decode(
            [String: Double].self, from: Data(file.metadata["f32_err", default: ""].utf8))
    }

    /// The tensors of the file as Python saved them.
    var state: NamedTensors {
        var state = NamedTensors()
        let prefix = "\(name)/state/"
        for (name, tensor) in file.tensors where name.hasPrefix(prefix) {
            state[String(name.dropFirst(prefix.count))] = tensor
        }
        return state
    }

    /// The options that the tensors do not determine.
    var options: EfficientNetImport.Options {
        var options = EfficientNetImport.Options()
        options.form = configuration.form
        if name.hasPrefix("timm") { options.convention = configuration.convention }
        return options
    }

    func tensor(_ part: String) throws -> Tensor {
        try Tensor(file.tensor(part == "pixels" ? part : "\(name)/\(part)"))
    }

    func load(
        _ change: (inout EfficientNetImport.Options) -> Void = { _ in }
    ) throws -> EfficientNetImport {
        var options = options
        change(&options)
        return try EfficientNetImport(state, file: Self.path, options: options)
    }

    /// Whether a tensor is within 20 times Python's own error in single precision, plus 1e-6.
    func agrees(_ tensor: Tensor, _ part: String) throws -> Bool {
        let reference = try self.tensor(part)
        let bound = 20 * errors["\(name)/\(part)", default: 0] + 1e-6
        return tensor.shape == reference.shape && (tensor - reference).abs().max().scalar() <= bound
    }
}

extension EfficientNetImport {
    /// The imported trunk with changed options.
    func network(
        _ change: (inout EfficientNetConfiguration) -> Void = { _ in }
    ) throws -> EfficientNet {
        var configuration = configuration
        change(&configuration)
        let scope = ParameterScope(source: Stored(tensors: tensors))
        return try EfficientNet(scope, configuration, prefix: "")
    }

    private struct Stored: ParameterSource {
        let tensors: NamedTensors

        func tensor(named name: String, shape: [Int], initial: Initializer) throws -> Tensor {
            try Tensor(try #require(tensors[name], "\(name)"))
        }
    }
}
