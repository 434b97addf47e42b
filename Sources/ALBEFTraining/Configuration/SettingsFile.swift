public import SystemPackage
import Yams

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Settings as YAML: a preset, a file that changes some of it, and single keys that change more.
///
/// The preset names every key there is, so whatever else a file or an option names is a mistake.
public struct SettingsFile {
    private var node: Node

    /// Starts from a preset.
    ///
    /// - Throws: ``TrainingError`` for a name that no preset has.
    public init(preset name: String) throws {
        node = try Self.parse(try Presets.text(name), place: "preset \(name)")
    }

    /// Changes what a file names; relative paths in it start from its own folder.
    ///
    /// - Throws: ``TrainingError`` that names the file, the line and the key.
    public mutating func apply(file: FilePath) throws {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: file.string))
        } catch {
            throw TrainingError.settingsFile(file.string, "cannot be read: \(error)")
        }
        var changes = try Self.parse(String(decoding: bytes, as: UTF8.self), place: file.string)
        let folder = file.removingLastComponent()
        for (section, key) in Self.pathKeys {
            guard let path = changes[section]?[key] else { continue }
            changes[section]?[key] = Self.resolved(path, folder)
        }
        try apply(changes, to: &node, key: "", place: file.string)
    }

    /// Changes one key: `optimizer.learning_rate=3e-4`; the value is YAML.
    ///
    /// - Throws: ``TrainingError`` that names the option and the key.
    public mutating func apply(assignment: String) throws {
        let place = "--set \(assignment)"
        guard let separator = assignment.firstIndex(of: "="), separator != assignment.startIndex
        else { throw TrainingError.settingsFile(place, "is not of the form key=value") }
        let keys = assignment[..<separator].split(separator: ".", omittingEmptySubsequences: false)
        let text = String(assignment[assignment.index(after: separator)...])
        var change = try Self.parse(text.isEmpty ? "null" : text, place: place)
        for key in keys.reversed() {
            change = Node.mapping(Node.Mapping([(Node(String(key)), change)]))
        }
        try apply(change, to: &node, key: "", place: place)
    }

    /// The settings, checked.
    ///
    /// - Throws: ``TrainingError`` or `ALBEFError` that names a key whose value does not fit.
    public func configuration() throws -> PretrainingConfiguration {
        let configuration = try Self.decode(node, place: "configuration")
        try configuration.validate()
        return configuration
    }

    /// Reads the settings of a run, in which every key is there.
    static func stored(_ file: FilePath) throws -> PretrainingConfiguration {
        guard let bytes = try? Data(contentsOf: URL(filePath: file.string)) else {
            throw TrainingError.settingsFile(file.string, "cannot be read")
        }
        return try decode(
            parse(String(decoding: bytes, as: UTF8.self), place: file.string), place: file.string)
    }

    /// The settings as a run stores them: with paths that hold from any folder.
    static func asStored(_ settings: PretrainingConfiguration) throws -> PretrainingConfiguration {
        let here = FilePath(FileManager.default.currentDirectoryPath)
        func absolute(_ path: String) -> String { here.pushing(FilePath(path)).string }
        var settings = settings
        settings.model.start = settings.model.start.map(absolute)
        settings.model.vocabulary = settings.model.vocabulary.map(absolute)
        settings.data.train = settings.data.train.map(absolute)
        settings.data.validation = settings.data.validation.map(absolute)
        settings.data.images = settings.data.images.map(absolute)
        return try decode(parse(text(of: settings), place: "settings"), place: "settings")
    }

    /// The full names of the keys that have different values.
    static func differences(
        _ some: PretrainingConfiguration, _ others: PretrainingConfiguration
    ) throws -> [String] {
        func values(_ node: Node, _ path: String) -> [String: Node] {
            guard case .mapping(let mapping) = node else { return [path: node] }
            return mapping.reduce(into: [:]) { found, entry in
                let name = entry.key.string ?? ""
                found.merge(values(entry.value, path.isEmpty ? name : "\(path).\(name)")) { $1 }
            }
        }
        let (one, other) = (
            values(try parse(text(of: some), place: "settings"), ""),
            values(try parse(text(of: others), place: "settings"), "")
        )
        return Set(one.keys).union(other.keys).filter { one[$0] != other[$0] }.sorted()
    }

    /// The settings as text, every key named.
    static func text(of configuration: PretrainingConfiguration) throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.allowUnicode = true
        return try encoder.encode(configuration)
    }

    private static let pathKeys = [
        ("model", "start"), ("model", "vocabulary"), ("data", "train"), ("data", "validation"),
        ("data", "images"),
    ]

    private static func resolved(_ node: Node, _ folder: FilePath) -> Node {
        if case .sequence(let items) = node {
            return Node(items.map { resolved($0, folder) })
        }
        guard let path = node.string, node.null == nil else { return node }
        return Node(folder.pushing(FilePath(path)).string)
    }

    private static func parse(_ text: String, place: String) throws -> Node {
        do {
            return try Yams.compose(yaml: text) ?? Node([(Node, Node)]())
        } catch {
            throw TrainingError.settingsFile(place, "is not YAML: \(error)")
        }
    }

    /// Puts every value of `changes` in the place of the one that `node` has for its key.
    private func apply(
        _ changes: Node, to node: inout Node, key path: String, place: String
    ) throws {
        func line(_ node: Node) -> String {
            guard !place.hasPrefix("--"), let mark = node.mark else { return place }
            return "\(place):\(mark.line)"
        }
        guard case .mapping(let known) = node else {
            if case .mapping = changes {
                throw TrainingError.settingsFile(
                    line(changes), "'\(path)' is a value and has no keys")
            }
            node = changes
            return
        }
        guard case .mapping(let named) = changes else {
            throw TrainingError.settingsFile(
                line(changes),
                path.isEmpty ? "is no list of settings" : "'\(path)' takes keys of its own")
        }
        for (key, value) in named {
            let name = key.string ?? ""
            let full = path.isEmpty ? name : "\(path).\(name)"
            guard var old = known[key] else {
                let names = known.keys.compactMap(\.string).joined(separator: ", ")
                throw TrainingError.settingsFile(
                    line(key), "unknown key '\(full)'; there are \(names)")
            }
            try apply(value, to: &old, key: full, place: place)
            node[name] = old
        }
    }

    private static func decode(_ node: Node, place: String) throws -> PretrainingConfiguration {
        do {
            return try YAMLDecoder().decode(PretrainingConfiguration.self, from: node)
        } catch let error as DecodingError {
            throw TrainingError.settingsFile(place, describe(error))
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        func key(_ path: [any CodingKey]) -> String {
            path.map(\.stringValue).joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let missing, let context):
            return "'\(key(context.codingPath + [missing]))' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            return "the value of '\(key(context.codingPath))' is wrong: \(context.debugDescription)"
        @unknown default:
            return "is wrong: \(error)"
        }
    }
}
