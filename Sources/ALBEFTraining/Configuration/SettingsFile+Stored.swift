import ImageText
import Storage
import SystemPackage
import Yams

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Settings as a run's directory stores them.
extension SettingsFile {
    /// The version of stored settings, which increases whenever a setting is added.
    ///
    /// Settings from runs that predate versions count as version 0.
    static let version = 5

    /// The settings that later versions added, each with the YAML value that describes runs from
    /// before the addition.
    private static let additions: [(version: Int, section: [String], key: String, value: String)] =
        [
            (1, ["objectives", "matching"], "easy_epochs", "0"),
            (1, ["objectives", "matching"], "shift", "1"),
            (1, ["data"], "group", "1"),
            (2, ["optimizer"], "frozen", "[]"),
            (2, ["optimizer"], "rates", "{image: 1, text: 1, fusion: 1, heads: 1}"),
            (2, ["optimizer"], "new_parts_rate", "1"),
            (2, ["optimizer"], "layer_decay", "1"),
            (3, ["data"], "trunk_views", "0"),
            (3, ["objectives", "matching"], "ramp_epochs", "0"),
            (3, ["data"], "trunk_maps", "null"),
            (4, ["data"], "shuffle_buffer", "1000"),
            (4, ["data"], "samples_per_epoch", "0"),
            (
                4, [], "distributed",
                "{hard_negatives: global, shard_optimizer: false, bucket_megabytes: 25,"
                    + " timeout_seconds: 600}"
            ),
            (5, ["model"], "task", "pretraining"),
            (5, ["data"], "genome_images", "null"),
            (5, ["data"], "answers", "null"),
            (5, ["objectives"], "answers", "{label_smoothing: 0, genome_weight: 0.5}"),
            (5, ["evaluation"], "candidates", "128"),
            (5, ["evaluation"], "selection", "mean"),
        ]

    /// Reads the settings of a run, of this version or an earlier one.
    ///
    /// - Throws: ``TrainingError`` that names the file, the line and the key, or the version if a
    ///   newer program wrote the file.
    static func stored(_ file: FilePath) throws -> TrainingConfiguration {
        var stored = try parse(text(of: file), place: file.string)
        let version = try takeVersion(from: &stored, place: file.string)
        for added in additions where added.version > version {
            let value = try parse(added.value, place: added.key)
            complete(&stored, added.section[...], added.key, value)
        }
        var settings = try SettingsFile(preset: "albef")
        try settings.apply(stored, place: file.string)
        // Decode the file alone, so that the preset's values do not stand in for missing keys.
        let configuration = try decode(stored, place: file.string)
        try configuration.validate()
        return configuration
    }

    /// Adds a key to a section, unless the key exists or the section is missing.
    private static func complete(
        _ node: inout Node, _ section: ArraySlice<String>, _ key: String, _ value: Node
    ) {
        guard let name = section.first else {
            if node[key] == nil { node[key] = value }
            return
        }
        guard var inner = node[name], inner.mapping != nil else { return }
        complete(&inner, section.dropFirst(), key, value)
        node[name] = inner
    }

    /// Removes the version from a file's settings and returns it, or 0 if the file has none.
    static func takeVersion(from node: inout Node, place: String) throws -> Int {
        guard var mapping = node.mapping, let value = mapping["version"] else { return 0 }
        guard let scalar = value.scalar, let found = Int.construct(from: scalar), found > 0 else {
            throw fault(value, place, "'version' must be a whole number of 1 or more")
        }
        guard found <= version else {
            throw fault(
                value, place,
                "these settings have version \(found), but this program supports versions up to"
                    + " \(version) only: use the newer program that wrote them")
        }
        mapping["version"] = nil
        node = .mapping(mapping)
        return found
    }

    /// Returns the settings as a run stores them, with absolute paths.
    static func asStored(_ settings: TrainingConfiguration) throws -> TrainingConfiguration {
        let here = FilePath(FileManager.default.currentDirectoryPath)
        func absolute(_ path: String) -> String { here.pushing(FilePath(path)).string }
        var settings = settings
        settings.model.start = settings.model.start.map(absolute)
        settings.model.vocabulary = settings.model.vocabulary.map(absolute)
        settings.data.train = settings.data.train.map { text in
            ShardList.isShards(text) ? ShardList.mappingPaths(of: text, absolute) : absolute(text)
        }
        settings.data.validation = settings.data.validation.map(absolute)
        settings.data.images = settings.data.images.map(absolute)
        settings.data.genomeImages = settings.data.genomeImages.map(absolute)
        settings.data.answers = settings.data.answers.map(absolute)
        settings.data.trunkMaps = settings.data.trunkMaps.map(absolute)
        return try decode(parse(text(of: settings), place: "settings"), place: "settings")
    }

    /// Returns the text of a run's settings: the version and every key.
    static func storedText(of configuration: TrainingConfiguration) throws -> String {
        "version: \(version)\n" + (try text(of: configuration))
    }

    /// Returns the full names of the keys whose values differ.
    static func differences(
        _ some: TrainingConfiguration, _ others: TrainingConfiguration
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

    private static func text(of configuration: TrainingConfiguration) throws -> String {
        let encoder = YAMLEncoder()
        encoder.options.allowUnicode = true
        return try encoder.encode(configuration)
    }
}

/// YAML parsing that reports errors as `TrainingError`.
extension SettingsFile {
    static func text(of file: FilePath) throws -> String {
        guard let bytes = try file.bytesIfPresent() else {
            throw TrainingError.settingsFile(
                file.string, "cannot be read: the file does not exist")
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    static func parse(_ text: String, place: String) throws -> Node {
        do throws(SettingsFault) {
            return try SettingsYAML.parse(text, place: place)
        } catch {
            throw TrainingError.settingsFile(
                place.hasPrefix("--") ? place : error.place, error.problem)
        }
    }

    /// Decodes nodes whose values have been checked, so that only a missing key can be wrong.
    static func decode(_ node: Node, place: String) throws -> TrainingConfiguration {
        do {
            return try YAMLDecoder().decode(TrainingConfiguration.self, from: node)
        } catch let error as DecodingError {
            throw TrainingError.settingsFile(place, error.reason)
        }
    }

    /// Returns an error at a node; an option has no lines.
    static func fault(_ node: Node, _ place: String, _ problem: String) -> TrainingError {
        let fault = SettingsFault(node, in: place, problem)
        return .settingsFile(place.hasPrefix("--") ? place : fault.place, problem)
    }
}
