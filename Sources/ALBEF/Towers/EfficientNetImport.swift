package import WeightFiles
package import SystemPackage
import Torch

/// Reads the state dictionary of an EfficientNet, and accounts for every tensor in it.
///
/// Two namings are known: that of the packages `efficientnet_lite_pytorch` and
/// `efficientnet_pytorch`, and that of timm. The variant is read off the shapes. Which padding and
/// epsilon the weights were trained with is in no tensor: the packages have but one, timm's are in
/// the name of its architecture.
package struct EfficientNetImport {
    /// What the tensors themselves do not tell, or should not decide.
    package struct Options: Sendable, Hashable {
        /// The architecture in the words of timm's `config.json`, such as `tf_efficientnet_lite0`.
        package var timmArchitecture: String?
        /// How the weights were trained; default what the naming or the architecture says.
        package var convention: EfficientNetConfiguration.Convention?
        /// Which sizes the layers have; default the variant that the tensors are of.
        package var form: EfficientNetConfiguration.Form?
        /// Whether the head's convolution is read; default true.
        package var includesHead = true

        /// The defaults.
        package init() {}
    }

    /// Sizes and conventions, as found.
    package let configuration: EfficientNetConfiguration
    /// Side of the square input that the weights were made for, in pixels; 224 for an architecture
    /// of one's own.
    package var imageSize: Int {
        if case .variant(let variant) = configuration.form { variant.imageSize } else { 224 }
    }
    /// Per-channel mean of the input in [0, 1]: 127 / 255 for Lite weights of TensorFlow, else
    /// ImageNet's.
    package var mean: [Double] {
        isRaw ? Array(repeating: 127 / 255, count: 3) : [0.485, 0.456, 0.406]
    }
    /// Per-channel standard deviation of the input in [0, 1]: 128 / 255 for Lite weights of
    /// TensorFlow, else ImageNet's.
    package var standardDeviation: [Double] {
        isRaw ? Array(repeating: 128 / 255, count: 3) : [0.229, 0.224, 0.225]
    }
    /// Whether the input is (pixel - 127) / 128 of values from 0 to 255.
    private var isRaw: Bool {
        guard case .variant(let variant) = configuration.form else { return false }
        return variant.isLite && configuration.convention == .tensorFlow
    }
    /// The parameters without a prefix, in the order of ``EfficientNetConfiguration/parameters(prefix:)``.
    package private(set) var tensors = NamedTensors()
    /// What became of every tensor of the file.
    package private(set) var entries: [ImportReport.Entry] = []

    /// Whether a file's names are those of an EfficientNet.
    package static func recognizes(_ names: some Sequence<String>) -> Bool {
        EfficientNetNaming(of: names) != nil
    }

    /// Reads the tensors of a file, without prefixes and wrappers in their names.
    ///
    /// - Throws: ``ModelFileError`` that names the file and a tensor that is missing, misshapen or
    ///   unknown, or says what must be given.
    package init(_ state: NamedTensors, file: FilePath, options: Options = Options()) throws {
        guard let naming = EfficientNetNaming(of: state.names) else {
            throw ModelFileError(
                file,
                .option("holds no EfficientNet: neither _conv_stem.weight nor conv_stem.weight"))
        }
        let told = try Self.told(options, naming, file)
        if let form = told.form {
            do {
                try EfficientNetConfiguration(form).validate()
            } catch {
                throw ModelFileError(file, .configuration(error.description))
            }
        }
        let match = Self.closest(
            to: state, naming, forms: told.form.map { [$0] } ?? Self.forms,
            includesHead: options.includesHead)
        try match.check(file, isGiven: told.form != nil)
        configuration = EfficientNetConfiguration(
            match.form, convention: told.convention, includesHead: options.includesHead)
        for recipe in match.recipes { try take(recipe, from: state, file) }
        for (name, reason) in match.ignored {
            entries.append(.init(name: name, source: name, action: .ignored, reason: reason))
        }
    }

    /// What the options and the naming say together.
    private static func told(
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
                        "is of timm's architecture \(name.prefix(100)), which is not read: "
                            + "efficientnet_ and tf_efficientnet_ are, with lite0 to lite4 or b0 "
                            + "to b7"))
            }
            form = form ?? .variant(known.variant)
            convention = convention ?? known.convention
        }
        guard let convention else {
            throw ModelFileError(
                file,
                .option(
                    "has timm's names, which leave open where convolutions put their zeros and "
                        + "what batch norms add to variances: give the architecture of its "
                        + "config.json, such as tf_efficientnet_lite0 (SAME, 0.001) or "
                        + "efficientnet_lite0 (symmetric, 0.00001)"))
        }
        return (form, convention)
    }

    package static var forms: [EfficientNetConfiguration.Form] {
        EfficientNetVariant.allCases.map { .variant($0) }
    }

    /// The form whose tensors differ least from those of a file.
    package static func closest(
        to state: NamedTensors, _ naming: EfficientNetNaming,
        forms: [EfficientNetConfiguration.Form], includesHead: Bool
    ) -> EfficientNetMatch {
        let matches = forms.map {
            EfficientNetMatch(state, naming, form: $0, includesHead: includesHead)
        }
        let best = matches.min { $0.faults < $1.faults }
        // There is always a form to compare with.
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
                    file, .tensor(name: source, problem: "is of the type \(tensor.dtype)"))
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
                .tensor(name: "\(norm).running_var", problem: "holds what no variance is"))
        }
        let factor = scale / shifted.sqrt()
        tensors["\(name).weight"] = StoredTensor(
            try Tensor(weight).to(.float64) * factor.reshaped(-1, 1, 1, 1))
        tensors["\(name).bias"] = StoredTensor(shift - mean * factor)
    }
}

extension StoredTensor {
    /// A copy of a tensor in single precision.
    fileprivate init(_ tensor: Tensor) {
        let plain = tensor.to(.float32).contiguous()
        self = plain.withUnsafeBytes {
            StoredTensor(dtype: .float32, shape: plain.shape, bytes: $0)
        }
    }
}

/// How the tensors of a file agree with those of one form.
package struct EfficientNetMatch {
    package let form: EfficientNetConfiguration.Form
    let recipes: [EfficientNetNaming.Recipe]
    private(set) var missing: [String] = []
    private(set) var misshapen: [(name: String, expected: [Int], found: [Int])] = []
    private(set) var unexplained: [String] = []
    /// Tensors that are left out, and why.
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

    /// - Parameter isGiven: whether the form was given rather than the nearest.
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
                "is no EfficientNet of a known variant; as \(variant.rawValue), the nearest: "
                    + ModelFileError(file, code).reason))
    }
}
