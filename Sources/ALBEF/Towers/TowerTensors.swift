import WeightFiles
import OrderedCollections
import Torch

/// The tensors of a layout under the names of ``ParameterLayout``, every one accounted for.
struct TowerTensors {
    /// By name, in single precision unless the file's tensor was taken as it is.
    private(set) var tensors: OrderedDictionary<String, Tensor> = [:]
    /// What became of every tensor of the file.
    private(set) var entries: [ImportReport.Entry] = []
    private let file: TowerFile
    /// Names in the file of what each target is made of.
    private var sources: [String: [String]] = [:]
    private var parts: OrderedDictionary<String, [Tensor?]> = [:]

    /// Carries the tensors of a file over.
    ///
    /// - Parameters:
    ///   - rules: which tensor goes where, the first that fits counts.
    ///   - ignored: tells why a tensor is left out; nil if it may not be.
    /// - Throws: ``ModelFileError`` that names tensors of which nothing is known, that miss their
    ///   other parts, or that should be equal and are not.
    init(_ file: TowerFile, _ rules: [TensorRule], ignored: (String) -> String?) throws {
        self.file = file
        var unexplained: [String] = []
        for (name, element) in file.elements {
            let found = rules.lazy.compactMap { rule in
                rule.target(of: name).map { (rule.form, $0) }
            }.first
            if let (form, target) = found {
                try take(element, form, target)
            } else if let reason = ignored(name) {
                entries.append(
                    .init(
                        name: element.source, source: element.source, action: .ignored,
                        reason: reason))
            } else {
                unexplained.append(element.source)
            }
        }
        guard unexplained.isEmpty else {
            throw ModelFileError(file.path, .unexplained(unexplained))
        }
        try joinParts()
        try foldScales()
    }

    /// The tensor of a name.
    subscript(name: String) -> Tensor? { tensors[name] }

    /// Takes a tensor away, to be used in another way.
    mutating func remove(_ name: String) -> Tensor? { tensors.removeValue(forKey: name) }

    /// Reports tensors as left out whose names contain one of some texts.
    mutating func markIgnored(_ parts: [String], _ reason: String) {
        for index in entries.indices
        where parts.contains(where: { entries[index].name.contains($0) }) {
            entries[index].name = entries[index].source ?? entries[index].name
            entries[index].action = .ignored
            entries[index].reason = reason
        }
    }

    /// Says in the report how a tensor was changed.
    mutating func explain(_ name: String, _ reason: String) {
        for index in entries.indices where entries[index].name == name {
            entries[index].reason = reason
        }
    }

    /// Puts a tensor under a name.
    mutating func set(_ name: String, _ tensor: Tensor) { tensors[name] = tensor }

    /// Gives the tensors the shapes of a layout, which may differ in dimensions of size 1.
    ///
    /// - Returns: the names of the layout that are not there.
    /// - Throws: ``ModelFileError`` that names a tensor of another shape or not of the layout.
    mutating func fit(_ layout: [ParameterLayout.Parameter]) throws -> [String] {
        var missing: [String] = []
        var fitted: OrderedDictionary<String, Tensor> = [:]
        for parameter in layout {
            guard let tensor = tensors.removeValue(forKey: parameter.name) else {
                missing.append(parameter.name)
                continue
            }
            guard Self.plain(tensor.shape) == Self.plain(parameter.shape) else {
                throw ModelFileError(
                    file.path,
                    .shape(
                        tensor: sources[parameter.name]?.joined(separator: ", ") ?? parameter.name,
                        expected: parameter.shape, found: tensor.shape))
            }
            fitted[parameter.name] = tensor.reshaped(parameter.shape)
        }
        if let name = tensors.keys.first {
            throw ModelFileError(
                file.path,
                .tensor(
                    name: sources[name]?.joined(separator: ", ") ?? name,
                    problem: "does not fit what the configuration says of the model"))
        }
        tensors = fitted
        return missing
    }

    private static func plain(_ shape: [Int]) -> [Int] { shape.filter { $0 != 1 } }

    private mutating func take(
        _ element: TowerFile.Element, _ form: TensorRule.Form, _ target: String
    ) throws {
        guard element.tensor.dtype.isFloatingPoint else {
            throw ModelFileError(
                file.path,
                .tensor(name: element.source, problem: "is of the type \(element.tensor.dtype)"))
        }
        let tensor = try Tensor(element.tensor).to(.float32)
        switch form {
        case .same:
            // Where two are tied, one of them is enough.
            if let other = tensors[target] {
                guard other.shape == tensor.shape,
                    other.isEqual(to: tensor).to(.int64).min().scalar() == 1
                else {
                    throw ModelFileError(
                        file.path,
                        .tensor(
                            name: element.source,
                            problem: "should equal \"\(sources[target]?.first ?? target)\", which"
                                + " it is tied to, but does not"))
                }
                entries.append(
                    .init(
                        name: element.source, source: element.source, action: .ignored,
                        reason: "stored twice: tied to and equal to another"))
                return
            }
            tensors[target] = tensor
        case .transposed:
            guard tensor.rank == 2 else {
                throw ModelFileError(
                    file.path,
                    .tensor(name: element.source, problem: "is no matrix: \(tensor.shape)"))
            }
            tensors[target] = tensor.transposed().contiguous()
        case .part(let index, let count):
            var known = parts[target] ?? [Tensor?](repeating: nil, count: count)
            known[index] = tensor
            parts[target] = known
        case .split(let words):
            guard tensor.rank > 0, tensor.size(0) % words.count == 0 else {
                throw ModelFileError(
                    file.path,
                    .tensor(
                        name: element.source,
                        problem: "cannot be split in \(words.count): \(tensor.shape)"))
            }
            let rows = tensor.chunked(words.count, 0)
            for word in OrderedSet(words) {
                let own = zip(words, rows).filter { $0.0 == word }.map(\.1)
                let name = target.replacing("?", with: word)
                tensors[name] = Tensor.concatenated(own)
                note(element.source, name)
            }
            return
        }
        note(element.source, target)
    }

    private mutating func note(_ source: String, _ target: String) {
        sources[target, default: []].append(source)
        entries.append(
            .init(
                name: target, source: source, action: source == target ? .mapped : .renamed))
    }

    private mutating func joinParts() throws {
        for (name, found) in parts {
            let known = found.compactMap { $0 }
            guard known.count == found.count,
                Set(known.map { Array($0.shape.dropFirst()) }).count == 1
            else {
                throw ModelFileError(
                    file.path,
                    .tensor(
                        name: sources[name]?.first ?? name,
                        problem: "is one of \(found.count) that belong together, of which some are"
                            + " missing or of another shape"))
            }
            tensors[name] = Tensor.concatenated(known)
        }
    }

    /// Multiplies LayerScale into the map before it, which is exact:
    /// `γ ⊙ (W x + b) = (γ ⊙ W) x + γ ⊙ b`.
    private mutating func foldScales() throws {
        for name in tensors.keys where name.hasSuffix(".scale") {
            let map = name.dropLast("scale".count)
            guard let scale = tensors.removeValue(forKey: name),
                let weight = tensors["\(map)weight"], let bias = tensors["\(map)bias"],
                scale.shape == bias.shape, weight.rank == 2
            else {
                throw ModelFileError(
                    file.path,
                    .tensor(
                        name: sources[name]?.first ?? name, problem: "scales nothing of its size"))
            }
            tensors["\(map)weight"] = weight * scale.unsqueezed(1)
            tensors["\(map)bias"] = bias * scale
        }
    }
}
