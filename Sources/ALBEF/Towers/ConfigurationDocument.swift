import Storage
import SystemPackage
import Torch

/// A JSON document beside weights, which says of them what no tensor does.
///
/// Reading a key that is needed and not there is an error that names file and key: heads,
/// activations and epsilons leave no trace in weights, and a guess would ruin them in silence.
struct ConfigurationDocument {
    /// The document.
    let file: FilePath
    private let json: JSONValue
    /// Where in the document this part is: "" for all of it, else with a dot at its end.
    private let location: String

    /// Reads a document; nil if there is no such file.
    ///
    /// - Throws: `FileError` if it is not one JSON document.
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

    /// Whether a key is there and not null.
    func has(_ key: String) -> Bool { self[key] != nil }

    /// A part that is an object; nil if it is not there.
    func section(_ key: String) -> ConfigurationDocument? {
        guard let value = self[key], value.object != nil else { return nil }
        return ConfigurationDocument(file: file, json: value, location: "\(location)\(key).")
    }

    /// A whole number.
    ///
    /// - Parameter standard: what a missing key means by the document's own rules; nil if it must
    ///   be there.
    func integer(_ key: String, else standard: Int? = nil) throws -> Int {
        try value(key, "a whole number", else: standard) { $0.integer }
    }

    /// A number.
    func number(_ key: String, else standard: Double? = nil) throws -> Double {
        try value(key, "a number", else: standard) { value in
            if case .number(let text) = value { Double(text) } else { nil }
        }
    }

    /// A text.
    func text(_ key: String, else standard: String? = nil) throws -> String {
        try value(key, "a text", else: standard) { $0.string }
    }

    /// A truth value.
    func truth(_ key: String, else standard: Bool? = nil) throws -> Bool {
        try value(key, "true or false", else: standard) { value in
            if case .bool(let truth) = value { truth } else { nil }
        }
    }

    /// Three numbers, one for each channel; nil if the key is not there.
    func channels(_ key: String) throws -> [Double]? {
        guard has(key) else { return nil }
        return try value(key, "three numbers", else: nil) { value in
            let numbers = value.array?.compactMap { element in
                if case .number(let text) = element { Double(text) } else { nil as Double? }
            }
            return numbers?.count == 3 ? numbers : nil
        }
    }

    /// Whole numbers, a given count of them; nil if the key is not there.
    func integers(_ key: String, count: Int) throws -> [Int]? {
        guard has(key) else { return nil }
        return try value(key, "\(count) whole numbers", else: nil) { value in
            let numbers = value.array?.compactMap(\.integer)
            return numbers?.count == count && value.array?.count == count ? numbers : nil
        }
    }

    /// The function inside the MLPs, by the name that Hugging Face's libraries have for it.
    func activation(_ key: String, else standard: String? = nil) throws -> Activation {
        let name = try text(key, else: standard)
        switch name {
        case "gelu", "gelu_python": return .gelu
        case "quick_gelu": return .quickGELU
        case "gelu_pytorch_tanh", "gelu_new", "gelu_fast": return .tanhGELU
        default:
            throw ModelFileError(
                file,
                .configuration("\"\(location)\(key)\" is '\(name)', which no encoder here has"))
        }
    }

    /// Refuses a key unless it is missing or has one of some values.
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
