import SystemPackage
import Yams

extension ServerConfiguration {
    /// Reads settings from YAML and checks them.
    ///
    /// - Parameters:
    ///   - yaml: The text of the file.
    ///   - place: The file's name for error messages.
    /// - Throws: ``ServerError`` that names the place, the line, and the invalid or unknown key.
    public init(yaml: String, place: String) throws {
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            throw ServerError.setting(place, "cannot be read as YAML: \(error)")
        }
        guard let root, root.null == nil else { return }
        var reader = try MappingReader(root, place: place, key: "")
        try reader.text("host") { host = $0 }
        try reader.whole("port") { port = $0 }
        try reader.texts("names") { names = $0 }
        try reader.texts("trusted_proxies") { trustedProxies = $0 }
        try reader.text("key") { key = $0 }
        try reader.text("read_key") { readKey = $0 }
        try reader.text("uploads") { uploads = FilePath($0) }
        try reader.text("photos") { photos = FilePath($0) }
        try reader.texts("exclude") { exclude = $0 }
        try reader.section("limits") { try limits.read(&$0) }
        try reader.section("batching") { try batching.read(&$0) }
        try reader.finish()
        try check(place: place)
    }
}

extension ServerConfiguration.Limits {
    fileprivate mutating func read(_ part: inout MappingReader) throws {
        try part.whole("body_bytes") { bodyBytes = $0 }
        try part.whole("document_bytes") { documentBytes = $0 }
        try part.whole("metadata_bytes") { metadataBytes = $0 }
        try part.whole("pixels") { pixels = $0 }
        try part.whole("characters") { characters = $0 }
        try part.whole("results") { results = $0 }
        try part.whole("candidates") { candidates = $0 }
        try part.number("head_seconds") { headSeconds = $0 }
        try part.number("body_seconds") { bodySeconds = $0 }
        try part.number("idle_seconds") { idleSeconds = $0 }
        try part.number("request_seconds") { requestSeconds = $0 }
        try part.number("requests_per_second") { requestsPerSecond = $0 }
        try part.whole("connections") { connections = $0 }
        try part.whole("connections_per_address") { connectionsPerAddress = $0 }
    }
}

extension ServerConfiguration.Batching {
    fileprivate mutating func read(_ part: inout MappingReader) throws {
        try part.whole("queries") { queries = $0 }
        try part.number("delay_milliseconds") { delayMilliseconds = $0 }
        try part.whole("waiting") { waiting = $0 }
        try part.whole("cached_answers") { cachedAnswers = $0 }
    }
}

/// Reads the keys of a mapping one by one, and reports a key that remains unread.
private struct MappingReader {
    private var rest: [String: (name: Node, value: Node)] = [:]
    private let place, key: String

    init(_ node: Node, place: String, key: String) throws {
        self.place = place
        self.key = key
        guard let mapping = node.mapping else {
            throw Self.error(
                node, place,
                "\(key.isEmpty ? "the file" : key) must be a mapping of 'name: value' lines")
        }
        for (name, value) in mapping { rest[name.string ?? ""] = (name, value) }
    }

    private func named(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }

    private static func error(_ node: Node, _ place: String, _ what: String) -> ServerError {
        .setting(node.mark.map { "\(place):\($0.line)" } ?? place, what)
    }

    mutating func text(_ name: String, _ body: (String) -> Void) throws {
        try read(name, { $0.scalar?.string }, "a text", body)
    }

    mutating func texts(_ name: String, _ body: ([String]) -> Void) throws {
        func list(_ node: Node) -> [String]? {
            guard let sequence = node.sequence else { return nil }
            let texts = sequence.compactMap { $0.scalar?.string }
            return texts.count == sequence.count ? texts : nil
        }
        try read(name, list, "a list of texts", body)
    }

    mutating func whole(_ name: String, _ body: (Int) -> Void) throws {
        try read(name, { $0.int }, "a whole number", body)
    }

    mutating func number(_ name: String, _ body: (Double) -> Void) throws {
        try read(name, { $0.float }, "a number", body)
    }

    private mutating func read<Value>(
        _ name: String, _ value: (Node) -> Value?, _ what: String, _ body: (Value) -> Void
    ) throws {
        guard let node = rest.removeValue(forKey: name)?.value, node.null == nil else { return }
        guard let value = value(node) else {
            throw Self.error(node, place, "\(named(name)) must be \(what)")
        }
        body(value)
    }

    mutating func section(_ name: String, _ body: (inout MappingReader) throws -> Void) throws {
        guard let node = rest.removeValue(forKey: name)?.value, node.null == nil else { return }
        var part = try MappingReader(node, place: place, key: name)
        try body(&part)
        try part.finish()
    }

    func finish() throws {
        guard let unknown = rest.min(by: { $0.key < $1.key }) else { return }
        throw Self.error(
            unknown.value.name, place, "'\(named(unknown.key))' is not a setting of the service")
    }
}
