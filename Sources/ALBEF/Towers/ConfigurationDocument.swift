import Storage
import SystemPackage
import Torch

/// A JSON document beside weights, with settings that the tensors do not determine.
///
/// A required key that is missing is an error that names file and key. Heads, activations and
/// epsilons leave no trace in weights, and a wrong guess would ruin the results silently.
struct ConfigurationDocument {
    /// The path of the document.
    let file: FilePath
    private let json: JSONValue
    /// The place of this part in the document: "" for all of it, else a path that ends with a
    /// period.
    private let location: String
    /// Reads a document; returns nil if the file does not exist.
    ///
    /// - Throws: `FileError` if the file is not one JSON document.
    init?(_ file: FilePath) throws {
        guard FileSystem.exists(file) else { return nil }
        let mapped = try MappedFile(file)
        let json = try mapped.withUnsafeBytes {
            try JSONValue($0, file: file, what: "the configuration")
        }
        self.init(file: file, json: json, location: "")
    }

    private init(file: FilePath, json: JSONValue, location: String) {
        self.file = file
        self.json = json
        self.location = location
    }

    private subscript(key: String) -> JSONValue? {
        guard let value = json.object?.first(where: { $0.name == key })?.value else { return nil }
        if case .null = value { return nil }
        return value
    }

    /// Returns whether a key exists and is not null.
    func has(_ key: String) -> Bool { self[key] != nil }

    /// Returns the part under a key; nil if it is missing or not an object.
    func section(_ key: String) -> ConfigurationDocument? {
        guard let value = self[key], value.object != nil else { return nil }
        return ConfigurationDocument(file: file, json: value, location: "\(location)\(key).")
    }

    /// Returns a whole number.
    ///
    /// - Parameters:
    ///   - key: the key in this part.
    ///   - standard: the value of a missing key by the document's own rules; nil if the key is
    ///     required.
    /// - Throws: ``ModelFileError`` if the value has another type, or is missing but required.
    func integer(_ key: String, else standard: Int? = nil) throws -> Int {
        try value(key, "a whole number", else: standard) { $0.integer }
    }

    /// Returns a number, as ``integer(_:else:)`` does.
    func number(_ key: String, else standard: Double? = nil) throws -> Double {
        try value(key, "a number", else: standard) { value in
            if case .number(let text) = value { Double(text) } else { nil }
        }
    }

    /// Returns a string, as ``integer(_:else:)`` does.
    func text(_ key: String, else standard: String? = nil) throws -> String {
        try value(key, "a string", else: standard) { $0.string }
    }

    /// Returns a truth value, as ``integer(_:else:)`` does.
    func truth(_ key: String, else standard: Bool? = nil) throws -> Bool {
        try value(key, "true or false", else: standard) { value in
            if case .bool(let truth) = value { truth } else { nil }
        }
    }

    /// Returns three numbers, one per channel; nil if the key is missing.
    func channels(_ key: String) throws -> [Double]? {
        guard has(key) else { return nil }
        return try value(key, "three numbers", else: nil) { value in
            let numbers = value.array?.compactMap { element in
                if case .number(let text) = element { Double(text) } else { nil as Double? }
            }
            return numbers?.count == 3 ? numbers : nil
        }
    }

    /// Returns `count` whole numbers; nil if the key is missing.
    func integers(_ key: String, count: Int) throws -> [Int]? {
        guard has(key) else { return nil }
        return try value(key, "\(count) whole numbers", else: nil) { value in
            let numbers = value.array?.compactMap(\.integer)
            return numbers?.count == count && value.array?.count == count ? numbers : nil
        }
    }

    /// Returns the activation of the MLPs, by its name in Hugging Face's libraries.
    func activation(_ key: String, else standard: String? = nil) throws -> Activation {
        let name = try text(key, else: standard)
        switch name {
        case "gelu", "gelu_python": return .gelu
        case "quick_gelu": return .quickGELU
        case "gelu_pytorch_tanh", "gelu_new", "gelu_fast": return .tanhGELU
        default:
            throw ModelFileError(
                file,
                .configuration(
                    "\"\(location)\(key)\" is '\(name)', which is not supported; use gelu,"
                        + " quick_gelu or gelu_pytorch_tanh"))
        }
    }

    /// Throws if a key has a string value that is not allowed; a missing key is allowed.
    func require(_ key: String, in allowed: [String], _ reason: String) throws {
        guard let found = self[key]?.string, !allowed.contains(found) else { return }
        throw ModelFileError(
            file, .configuration("\"\(location)\(key)\" is '\(found)': \(reason)"))
    }

    private func value<Value>(
        _ key: String, _ kind: String, else standard: Value?, _ read: (JSONValue) -> Value?
    ) throws -> Value {
        guard let found = self[key] else {
            guard let standard else { throw ModelFileError(file, .neededKey(location + key)) }
            return standard
        }
        guard let value = read(found) else {
            throw ModelFileError(file, .configuration("\"\(location)\(key)\" must be \(kind)"))
        }
        return value
    }
}
