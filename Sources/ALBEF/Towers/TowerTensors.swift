import OrderedCollections
import Torch
import WeightFiles

/// The tensors of a file under the names of ``ParameterLayout``, all accounted for.
struct TowerTensors {
    /// The tensors by name, in single precision.
    private(set) var tensors: OrderedDictionary<String, Tensor> = [:]
    /// The outcome of every tensor of the file.
    private(set) var entries: [ImportReport.Entry] = []
    private let file: TowerFile
    /// The names in the file from which each target is made.
    private var sources: [String: [String]] = [:]
    private var parts: OrderedDictionary<String, [Tensor?]> = [:]

    /// Maps the tensors of a file by rules.
    ///
    /// - Parameters:
    ///   - file: the file.
    ///   - rules: the rules; the first that matches a tensor applies.
    ///   - ignored: returns why a tensor may be left out; nil if it may not.
    /// - Throws: ``ModelFileError``, which names tensors that are unknown, that lack their other
    ///   parts, or that should be equal and are not.
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

    /// Returns the tensor of a name; nil if it does not exist.
    subscript(name: String) -> Tensor? { tensors[name] }

    /// Removes and returns a tensor.
    mutating func remove(_ name: String) -> Tensor? { tensors.removeValue(forKey: name) }

    /// Records tensors as left out if their names contain one of the given texts.
    mutating func markIgnored(_ parts: [String], _ reason: String) {
        for index in entries.indices
        where parts.contains(where: { entries[index].name.contains($0) }) {
            entries[index].name = entries[index].source ?? entries[index].name
            entries[index].action = .ignored
            entries[index].reason = reason
        }
    }

    /// Records how a tensor was changed.
    mutating func explain(_ name: String, _ reason: String) {
        for index in entries.indices where entries[index].name == name {
            entries[index].reason = reason
        }
    }

    /// Sets the tensor of a name.
    mutating func set(_ name: String, _ tensor: Tensor) { tensors[name] = tensor }

    /// Reshapes the tensors to a layout, from which they may differ in dimensions of size 1.
    ///
    /// - Returns: the names of the layout that have no tensor.
    /// - Throws: ``ModelFileError``, which names a tensor of another shape or outside the layout.
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
                    problem: "is not part of the model that the configuration describes"))
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
                .tensor(
                    name: element.source,
                    problem: "should be floating point, but is \(element.tensor.dtype)"))
        }
        let tensor = try Tensor(element.tensor).to(.float32)
        switch form {
        case .same:
            // Of two tied tensors one is enough.
            if let other = tensors[target] {
                guard other.shape == tensor.shape,
                    other.isEqual(to: tensor).to(.int64).min().scalar() == 1
                else {
                    throw ModelFileError(
                        file.path,
                        .tensor(
                            name: element.source,
                            problem: "should equal \"\(sources[target]?.first ?? target)\", to"
                                + " which it is tied, but differs"))
                }
                entries.append(
                    .init(
                        name: element.source, source: element.source, action: .ignored,
                        reason: "stored twice; tied and equal to another tensor"))
                return
            }
            tensors[target] = tensor
        case .transposed:
            guard tensor.rank == 2 else {
                throw ModelFileError(
                    file.path,
                    .tensor(
                        name: element.source,
                        problem: "should be a matrix; its shape is \(tensor.shape)"))
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
                        problem: "cannot be split into \(words.count) equal parts; its shape is "
                            + "\(tensor.shape)"))
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
                        problem: "is one of \(found.count) parts of a tensor, but others are"
                            + " missing or have another shape"))
            }
            tensors[name] = Tensor.concatenated(known)
        }
    }

    /// Folds LayerScale into the preceding map, which is exact:
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
                        name: sources[name]?.first ?? name,
                        problem: "does not match the size of the layer that it scales"))
            }
            tensors["\(map)weight"] = weight * scale.unsqueezed(1)
            tensors["\(map)bias"] = bias * scale
        }
    }
}
