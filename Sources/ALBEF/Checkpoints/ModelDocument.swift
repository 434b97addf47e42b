import Storage
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The contents of `config.json`: a configuration, and the digest of its weights.
struct ModelDocument: Codable {
    var configuration: ALBEFConfiguration
    /// SHA-256 of `model.safetensors`, in hexadecimal.
    var weightsDigest: String

    /// The format that is written.
    ///
    /// Format 1 has no switches; its models have those of ALBEF.
    static let format = 2

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case format
        case weightsDigest = "weights_sha256"
    }

    init(configuration: ALBEFConfiguration, weightsDigest: String) {
        self.configuration = configuration
        self.weightsDigest = weightsDigest
    }

    init(from decoder: any Decoder) throws {
        configuration = try ALBEFConfiguration(from: decoder)
        weightsDigest = try decoder.container(keyedBy: CodingKeys.self)
            .decode(String.self, forKey: .weightsDigest)
    }

    func encode(to encoder: any Encoder) throws {
        try configuration.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(ModelDocument.format, forKey: .format)
        try container.encode(weightsDigest, forKey: .weightsDigest)
    }

    /// Returns the contents of the file.
    func text() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return Array(try encoder.encode(self)) + [0x0A]
    }

    /// Reads a file, which must have every key and no unknown one.
    init(_ bytes: UnsafeRawBufferPointer, file: FilePath) throws {
        let json = try JSONValue(bytes, file: file, what: "the configuration")
        // The format comes first, because another format may have other keys.
        let format = json.object?.first { $0.name == "format" }
        guard let format else { throw ModelFileError(file, .missingKey("format")) }
        guard let version = format.value.integer, (1...ModelDocument.format).contains(version)
        else { throw ModelFileError(file, .format(format.value.integer ?? 0)) }
        try ModelDocument.check(
            json,
            against: CodingKeys.allCases.map(\.rawValue)
                + ALBEFConfiguration.CodingKeys.allCases.map(\.rawValue), path: "", file: file)
        typealias Vision = ALBEFConfiguration.Vision.CodingKeys
        typealias Text = ALBEFConfiguration.Text.CodingKeys
        let hasSwitches = version > 1
        try ModelDocument.check(
            json["vision"],
            against: Vision.allCases.filter { hasSwitches || !Vision.switches.contains($0) }
                .map(\.rawValue), path: "vision.", file: file)
        try ModelDocument.checkTrunk(json["vision"]?["trunk"], file: file)
        try ModelDocument.check(
            json["text"],
            against: Text.allCases.filter { hasSwitches || !Text.switches.contains($0) }
                .map(\.rawValue), path: "text.", file: file)
        do {
            self = try JSONDecoder().decode(ModelDocument.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw ModelFileError(file, .configuration(error.reason))
        }
        if !hasSwitches { configuration.text.hasTokenTypes = configuration.dialect.hasTokenTypes }
        do {
            try configuration.validate()
        } catch {
            throw ModelFileError(file, .configuration(error.description))
        }
    }

    /// Checks the keys of a trunk, if the configuration has one.
    private static func checkTrunk(_ json: JSONValue?, file: FilePath) throws {
        typealias Trunk = EfficientNetConfiguration.CodingKeys
        typealias Architecture = EfficientNetArchitecture.CodingKeys
        typealias Stage = EfficientNetArchitecture.Stage.CodingKeys
        guard let json else { return }
        if case .null = json { return }
        let path = "vision.trunk."
        let isCustom = json["variant"]?.string == EfficientNetConfiguration.custom
        try check(
            json,
            against: Trunk.allCases.filter { isCustom || $0 != .architecture }.map(\.rawValue),
            path: path, file: file)
        guard isCustom else { return }
        let architecture = json["architecture"]
        try check(
            architecture, against: Architecture.allCases.map(\.rawValue),
            path: "\(path)architecture.", file: file)
        for (index, stage) in (architecture?["stages"]?.array ?? []).enumerated() {
            try check(
                stage, against: Stage.allCases.map(\.rawValue),
                path: "\(path)architecture.stages[\(index)].", file: file)
        }
    }

    private static func check(
        _ json: JSONValue?, against known: [String], path: String, file: FilePath
    ) throws {
        guard let members = json?.object else {
            throw ModelFileError(file, .configuration("\"\(path.dropLast())\" is not an object"))
        }
        for member in members where !known.contains(member.name) {
            throw ModelFileError(file, .unknownKey(path + member.name))
        }
        for key in known where !members.contains(where: { $0.name == key }) {
            throw ModelFileError(file, .missingKey(path + key))
        }
    }
}

extension JSONValue {
    fileprivate subscript(name: String) -> JSONValue? {
        object?.first { $0.name == name }?.value
    }
}
