import ImageText
public import SystemPackage
import Yams

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// YAML settings that start from a preset; files and then single assignments change them.
///
/// A preset contains every key, so any key that it lacks is rejected as a mistake.
public struct SettingsFile {
    private(set) var node: Node
    private let schema: SettingsSchema

    /// Creates settings from a preset.
    ///
    /// - Throws: ``TrainingError`` if no preset has this name.
    public init(preset name: String) throws {
        schema = try SettingsSchema(of: TrainingConfiguration.self)
        let text = try Self.parse(try Presets.text(name), place: "preset \(name)")
        guard let base = Presets.base(of: name) else {
            node = text
            return
        }
        node = try Self.parse(try Presets.text(base), place: "preset \(base)")
        try apply(text, place: "preset \(name)")
    }

    /// Applies the settings in a file; relative paths in it start from the file's folder.
    ///
    /// The settings file of a run is accepted too.
    ///
    /// - Throws: ``TrainingError`` that names the file, the line and the key.
    public mutating func apply(file: FilePath) throws {
        var changes = try Self.parse(Self.text(of: file), place: file.string)
        _ = try Self.takeVersion(from: &changes, place: file.string)
        let folder = file.removingLastComponent()
        for (section, key) in Self.pathKeys {
            // A value of the wrong form is reported later, as it is written in the file.
            guard let path = changes[section]?[key],
                (schema.forms["\(section).\(key)"] == .list) == (path.sequence != nil)
            else { continue }
            changes[section]?[key] = Self.resolved(path, folder)
        }
        try apply(changes, place: file.string)
    }

    /// Changes one key, as in `optimizer.learning_rate=3e-4`; the value is YAML.
    ///
    /// - Throws: ``TrainingError`` that names the option and the key.
    public mutating func apply(assignment: String) throws {
        let place = "--set \(assignment)"
        guard let separator = assignment.firstIndex(of: "="), separator != assignment.startIndex
        else {
            throw TrainingError.settingsFile(place, "must have the form key=value")
        }
        let keys = assignment[..<separator].split(separator: ".", omittingEmptySubsequences: false)
        let text = String(assignment[assignment.index(after: separator)...])
        var change = try Self.parse(text.isEmpty ? "null" : text, place: place)
        for key in keys.reversed() {
            change = Node.mapping(Node.Mapping([(Node(String(key)), change)]))
        }
        try apply(change, place: place)
    }

    /// Returns the validated settings.
    ///
    /// - Throws: ``TrainingError`` or `ALBEFError` that names the key with an invalid value.
    public func configuration() throws -> TrainingConfiguration {
        let configuration = try Self.decode(node, place: "configuration")
        try configuration.validate()
        return configuration
    }

    // MARK: Changing values

    mutating func apply(_ changes: Node, place: String) throws {
        try apply(changes, to: &node, key: "", place: place)
    }

    /// Replaces the values in `node` by those that `changes` has for the same keys.
    private func apply(
        _ changes: Node, to node: inout Node, key path: String, place: String
    ) throws {
        guard case .mapping(let known) = node else {
            if case .mapping = changes {
                throw Self.fault(changes, place, "'\(path)' has a single value and accepts no keys")
            }
            try check(changes, key: path, place: place)
            node = changes
            return
        }
        guard case .mapping(let named) = changes else {
            throw Self.fault(
                changes, place,
                path.isEmpty
                    ? "must be a list of settings, each of the form key: value"
                    : "'\(path)' must be a group of keys")
        }
        for (key, value) in named {
            let name = key.string ?? ""
            let full = path.isEmpty ? name : "\(path).\(name)"
            guard var old = known[key] else {
                let names = known.keys.compactMap(\.string).joined(separator: ", ")
                throw Self.fault(key, place, "unknown key '\(full)'; the keys here are \(names)")
            }
            try apply(value, to: &old, key: full, place: place)
            node[name] = old
        }
    }

    /// Checks that a value has the form that its key requires.
    private func check(_ value: Node, key: String, place: String) throws {
        guard let form = schema.forms[key] else { return }
        if value.null != nil, schema.optional.contains(key) { return }
        guard form != .list || value.sequence == nil else {
            for item in value.sequence ?? [] where item.null != nil || item.scalar == nil {
                throw Self.fault(
                    item, place,
                    "'\(key)' must be a list of texts, but one of its items is"
                        + " \(Self.words(for: item))")
            }
            return
        }
        guard let scalar = value.scalar, value.null == nil, form.takes(scalar) else {
            let found = value.null != nil ? "; it is empty" : ", not \(Self.words(for: value))"
            throw Self.fault(value, place, "'\(key)' must be \(form.words)\(found)")
        }
    }

    private static func words(for value: Node) -> String {
        if value.null != nil { return "empty" }
        return switch value {
        case .scalar(let scalar): "'\(scalar.string)'"
        case .sequence: "a list"
        default: "a group of keys"
        }
    }

    // MARK: Paths

    private static let pathKeys = [
        ("model", "start"), ("model", "vocabulary"), ("data", "train"), ("data", "validation"),
        ("data", "images"), ("data", "genome_images"), ("data", "answers"),
    ]

    private static func resolved(_ node: Node, _ folder: FilePath) -> Node {
        switch node {
        case .sequence(var items):
            for index in items.indices { items[index] = resolved(items[index], folder) }
            return .sequence(items)
        case .scalar(let scalar) where node.null == nil:
            func inFolder(_ path: String) -> String { folder.pushing(FilePath(path)).string }
            let text = scalar.string
            let path =
                ShardList.isShards(text)
                ? ShardList.mappingPaths(of: text, inFolder) : inFolder(text)
            return .scalar(.init(path, .implicit, .any, scalar.mark))
        default: return node
        }
    }
}

extension SettingsSchema.Form {
    /// Returns whether a value has this form.
    fileprivate func takes(_ value: Node.Scalar) -> Bool {
        switch self {
        case .text: true
        case .list: false
        case .truth: Bool.construct(from: value) != nil
        case .number: Double.construct(from: value) != nil
        case .whole: Int.construct(from: value) != nil
        case .natural: UInt64.construct(from: value) != nil
        case .choice(let names): names.contains(value.string)
        }
    }
}
