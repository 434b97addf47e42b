package import SystemPackage
import Torch
package import WeightFiles

/// An importer of the state dictionary of an EfficientNet, which accounts for every tensor.
///
/// Two namings are supported: that of the packages `efficientnet_lite_pytorch` and
/// `efficientnet_pytorch`, and that of timm. The variant follows from the shapes. No tensor shows
/// the padding and the epsilon of training: the packages have a single convention, and timm states
/// its convention in the name of the architecture.
package struct EfficientNetImport {
    /// Settings that the tensors do not determine, or that override them.
    package struct Options: Sendable, Hashable {
        /// The architecture as named by timm's `config.json`, such as `tf_efficientnet_lite0`.
        package var timmArchitecture: String?
        /// The convention of training; by default that of the naming or of the architecture.
        package var convention: EfficientNetConfiguration.Convention?
        /// The sizes of the layers; by default those of the variant that fits the tensors.
        package var form: EfficientNetConfiguration.Form?
        /// Whether to import the head's convolution; `true` by default.
        package var includesHead = true

        /// Creates the default options.
        package init() {}
    }

    /// The sizes and conventions of the file.
    package let configuration: EfficientNetConfiguration
    /// The side of the square input for which the weights were made, in pixels; 224 for a custom
    /// architecture.
    package var imageSize: Int {
        if case .variant(let variant) = configuration.form { variant.imageSize } else { 224 }
    }
    /// The mean of each channel of the input in [0, 1]: 127 / 255 for Lite weights of TensorFlow,
    /// else that of ImageNet.
    package var mean: [Double] {
        isRaw ? Array(repeating: 127 / 255, count: 3) : [0.485, 0.456, 0.406]
    }
    /// The standard deviation of each channel of the input in [0, 1]: 128 / 255 for Lite weights of
    /// TensorFlow, else that of ImageNet.
    package var standardDeviation: [Double] {
        isRaw ? Array(repeating: 128 / 255, count: 3) : [0.229, 0.224, 0.225]
    }
    /// Whether the input is (pixel - 127) / 128 of values from 0 to 255.
    private var isRaw: Bool {
        guard case .variant(let variant) = configuration.form else { return false }
        return variant.isLite && configuration.convention == .tensorFlow
    }
    /// The parameters without a prefix, in the order of
    /// ``EfficientNetConfiguration/parameters(prefix:)``.
    package private(set) var tensors = NamedTensors()
    /// The outcome of every tensor of the file.
    package private(set) var entries: [ImportReport.Entry] = []

    /// Returns whether the names are those of an EfficientNet.
    package static func recognizes(_ names: some Sequence<String>) -> Bool {
        EfficientNetNaming(of: names) != nil
    }

    /// Imports the tensors of a file.
    ///
    /// - Parameters:
    ///   - state: the tensors, without prefixes and wrappers in their names.
    ///   - file: the path of the file, for errors.
    ///   - options: settings that the tensors do not determine.
    /// - Throws: ``ModelFileError``, which names the file and a missing, misshapen or unknown
    ///   tensor, or a missing option.
    package init(_ state: NamedTensors, file: FilePath, options: Options = Options()) throws {
        guard let naming = EfficientNetNaming(of: state.names) else {
            throw ModelFileError(
                file,
                .option("holds no EfficientNet: neither _conv_stem.weight nor conv_stem.weight"))
        }
        let settings = try Self.settings(options, naming, file)
        if let form = settings.form {
            do {
                try EfficientNetConfiguration(form).validate()
            } catch {
                throw ModelFileError(file, .configuration(error.description))
            }
        }
        let match = Self.closest(
            to: state, naming, forms: settings.form.map { [$0] } ?? Self.forms,
            includesHead: options.includesHead)
        try match.check(file, isGiven: settings.form != nil)
        configuration = EfficientNetConfiguration(
            match.form, convention: settings.convention, includesHead: options.includesHead)
        for recipe in match.recipes { try take(recipe, from: state, file) }
        for (name, reason) in match.ignored {
            entries.append(.init(name: name, source: name, action: .ignored, reason: reason))
        }
    }

    /// Returns the form and convention that options and naming determine together.
    private static func settings(
        _ options: Options, _ naming: EfficientNetNaming, _ file: FilePath
    ) throws -> (
        form: EfficientNetConfiguration.Form?, convention: EfficientNetConfiguration.Convention
    ) {
        var form = options.form
        var convention = options.convention ?? (naming == .numbered ? .tensorFlow : nil)
        if let name = options.timmArchitecture {
            guard let known = TimmEfficientNetName(name) else {
                throw ModelFileError(
                    file,
                    .option(
                        "has timm's architecture \(name.prefix(100)), which is not supported; use "
                            + "efficientnet_ or tf_efficientnet_ with lite0 to lite4 or b0 to b7"))
            }
            form = form ?? .variant(known.variant)
            convention = convention ?? known.convention
        }
        guard let convention else {
            throw ModelFileError(
                file,
                .option(
                    "has timm's names, which determine neither the padding of convolutions nor the "
                        + "epsilon of batch norms; give the architecture of its config.json, such "
                        + "as tf_efficientnet_lite0 (SAME, 0.001) or efficientnet_lite0 "
                        + "(symmetric, 0.00001)"))
        }
        return (form, convention)
    }

    package static var forms: [EfficientNetConfiguration.Form] {
        EfficientNetVariant.allCases.map { .variant($0) }
    }

    /// Returns the comparison with the form whose tensors differ least from those of a file.
    package static func closest(
        to state: NamedTensors, _ naming: EfficientNetNaming,
        forms: [EfficientNetConfiguration.Form], includesHead: Bool
    ) -> EfficientNetMatch {
        let matches = forms.map {
            EfficientNetMatch(state, naming, form: $0, includesHead: includesHead)
        }
        let best = matches.min { $0.faults < $1.faults }
        // `forms` is never empty; the fallback avoids a force unwrap.
        return best
            ?? EfficientNetMatch(
                state, naming, form: .variant(.lite0), includesHead: includesHead)
    }
}

// MARK: - Folding

extension EfficientNetImport {
    private mutating func take(
        _ recipe: EfficientNetNaming.Recipe, from state: NamedTensors, _ file: FilePath
    ) throws {
        let name = recipe.convolution.name
        func tensor(_ source: String) throws -> StoredTensor {
            guard let tensor = state[source] else { throw ModelFileError(file, .missing([source])) }
            guard tensor.dtype.isFloatingPoint else {
                throw ModelFileError(
                    file,
                    .tensor(
                        name: source, problem: "should be floating point, but is \(tensor.dtype)"))
            }
            return tensor
        }
        func note(_ source: String, as name: String, _ reason: String? = nil) -> ImportReport.Entry
        {
            .init(
                name: name, source: source, action: name == source ? .mapped : .renamed,
                reason: reason)
        }
        let weight = try tensor("\(recipe.source).weight")
        entries.append(note("\(recipe.source).weight", as: "\(name).weight"))
        guard let norm = recipe.norm else {
            tensors["\(name).weight"] = weight
            tensors["\(name).bias"] = try tensor("\(recipe.source).bias")
            entries.append(note("\(recipe.source).bias", as: "\(name).bias"))
            return
        }
        func values(_ part: String) throws -> Tensor {
            entries.append(note("\(norm).\(part)", as: "\(name).bias", "batch norm, folded"))
            return try Tensor(try tensor("\(norm).\(part)")).to(.float64)
        }
        let (scale, shift) = (try values("weight"), try values("bias"))
        let (mean, variance) = (try values("running_mean"), try values("running_var"))
        let shifted = variance + configuration.convention.batchNormEpsilon
        let least = shifted.min().scalar()
        guard least > 0, least.isFinite else {
            throw ModelFileError(
                file,
                .tensor(
                    name: "\(norm).running_var",
                    problem: "holds a variance that is not positive and finite"))
        }
        let factor = scale / shifted.sqrt()
        tensors["\(name).weight"] = StoredTensor(
            try Tensor(weight).to(.float64) * factor.reshaped(-1, 1, 1, 1))
        tensors["\(name).bias"] = StoredTensor(shift - mean * factor)
    }
}

extension StoredTensor {
    /// Creates a copy of a tensor in single precision.
    fileprivate init(_ tensor: Tensor) {
        let plain = tensor.to(.float32).contiguous()
        self = plain.withUnsafeBytes {
            StoredTensor(dtype: .float32, shape: plain.shape, bytes: $0)
        }
    }
}

/// A comparison of the tensors of a file with those of one form.
package struct EfficientNetMatch {
    package let form: EfficientNetConfiguration.Form
    let recipes: [EfficientNetNaming.Recipe]
    private(set) var missing: [String] = []
    private(set) var misshapen: [(name: String, expected: [Int], found: [Int])] = []
    private(set) var unexplained: [String] = []
    /// The tensors that are left out, and why.
    private(set) var ignored: [(name: String, reason: String)] = []

    package var faults: Int { missing.count + misshapen.count + unexplained.count }

    init(
        _ state: NamedTensors, _ naming: EfficientNetNaming,
        form: EfficientNetConfiguration.Form, includesHead: Bool
    ) {
        self.form = form
        let configuration = EfficientNetConfiguration(form, includesHead: includesHead)
        recipes = naming.recipes(EfficientNetPlan(configuration))
        var known: Set<String> = []
        for (name, shape) in recipes.flatMap(\.tensors) {
            known.insert(name)
            if let tensor = state[name] {
                if tensor.shape != shape { misshapen.append((name, shape, tensor.shape)) }
            } else {
                missing.append(name)
            }
        }
        let norms = Set(recipes.compactMap(\.norm))
        for name in state.names where !known.contains(name) {
            if let reason = naming.reason(name, norms: norms, includesHead: includesHead) {
                ignored.append((name, reason))
            } else {
                unexplained.append(name)
            }
        }
    }

    /// Throws the first fault found.
    ///
    /// - Parameters:
    ///   - file: the path of the file, for errors.
    ///   - isGiven: whether the form was given by the options instead of chosen as the nearest.
    func check(_ file: FilePath, isGiven: Bool) throws {
        let code: ModelFileError.Code
        if !unexplained.isEmpty {
            code = .unexplained(unexplained)
        } else if !missing.isEmpty {
            code = .missing(missing)
        } else if let (name, expected, found) = misshapen.first {
            code = .shape(tensor: name, expected: expected, found: found)
        } else {
            return
        }
        guard !isGiven, case .variant(let variant) = form else { throw ModelFileError(file, code) }
        throw ModelFileError(
            file,
            .option(
                "is not an EfficientNet of a known variant; compared with \(variant.rawValue), the "
                    + "nearest: "
                    + ModelFileError(file, code).reason))
    }
}
