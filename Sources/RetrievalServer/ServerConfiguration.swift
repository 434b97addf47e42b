public import SystemPackage
import Yams

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// How the service listens, what it accepts, and how it batches.
///
/// Read from YAML by ``init(yaml:place:)``; every key may be left out, unknown keys are refused:
///
///     host: 127.0.0.1
///     port: 8080
///     limits:
///       body_bytes: 20971520
///     batching:
///       queries: 16
public struct ServerConfiguration: Sendable, Hashable {
    /// Address to listen on; default the loopback, which no other machine reaches.
    public var host = "127.0.0.1"
    /// Port to listen on, 0 for any that is free; default 8080.
    public var port = 8080
    /// Names that requests may call the service by, besides its address; default none.
    ///
    /// On the loopback every other name is refused, or a web page could have a browser ask for it
    /// (DNS rebinding). On other addresses an empty list accepts all names.
    public var names: [String] = []
    /// What writing requests have to carry as `Authorization: Bearer KEY`; nil refuses all writes.
    public var key: String?
    /// Where pictures that clients add are kept; nil for the index's path with `.uploads`.
    public var uploads: FilePath?
    /// A folder of pictures that the index is kept in step with; nil for none.
    public var photos: FilePath?
    /// Bounds on what clients may ask.
    public var limits = Limits()
    /// How requests share the model.
    public var batching = Batching()

    /// Bounds on what clients may ask.
    public struct Limits: Sendable, Hashable {
        /// Bytes of a request's body; default 20 MiB.
        public var bodyBytes = 20 << 20
        /// Pixels that a picture may declare; default 50 million.
        public var pixels = 50_000_000
        /// Characters of a text; default 2,000.
        public var characters = 2000
        /// Results and candidates of a search; default 1,000.
        public var results = 1000
        /// Seconds for a body to arrive; default 20.
        public var bodySeconds = 20.0
        /// Seconds for an answer; default 30.
        public var requestSeconds = 30.0
        /// Requests a second that one address may make, with bursts of three times as many.
        ///
        /// 0: any number. Default 50, and on the loopback any number.
        public var requestsPerSecond: Double?
        /// Connections at a time; default 1,024.
        public var connections = 1024

        /// The defaults.
        public init() {}
    }

    /// How requests share the model.
    public struct Batching: Sendable, Hashable {
        /// Queries that are answered together at most, 1 without batching; default 16.
        public var queries = 16
        /// Milliseconds that an idle model waits for a second query; default 0.
        ///
        /// Without it company comes only while the model is busy, which costs nobody anything.
        public var delayMilliseconds = 0.0
        /// Requests that may wait for the model, beyond which the answer is 503; default 256.
        public var waiting = 256
        /// Answers that are remembered while the index stays as it is; default 512, 0: none.
        public var cachedAnswers = 512

        /// The defaults.
        public init() {}
    }

    /// The defaults.
    public init() {}

    /// Whether only this machine reaches the address.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }

    /// Checks every value.
    ///
    /// - Throws: ``ServerError`` that names the key whose value does not fit.
    public func check() throws {
        func expect(_ holds: Bool, _ key: String, _ what: String) throws {
            guard holds else { throw ServerError.setting(key, what) }
        }
        try expect(!host.isEmpty, "host", "is empty")
        try expect((0...65_535).contains(port), "port", "must be from 0 to 65535")
        try expect(key?.isEmpty != true, "key", "is empty")
        try expect(limits.bodyBytes >= 1024, "limits.body_bytes", "must be at least 1024")
        try expect(limits.pixels >= 1, "limits.pixels", "must be at least 1")
        try expect(limits.characters >= 1, "limits.characters", "must be at least 1")
        try expect(
            (1...100_000).contains(limits.results), "limits.results", "must be from 1 to 100000")
        try expect(limits.bodySeconds > 0, "limits.body_seconds", "must be positive")
        try expect(limits.requestSeconds > 0, "limits.request_seconds", "must be positive")
        try expect(
            (limits.requestsPerSecond ?? 0) >= 0, "limits.requests_per_second",
            "must not be negative")
        try expect(limits.connections >= 1, "limits.connections", "must be at least 1")
        try expect(
            (1...1024).contains(batching.queries), "batching.queries", "must be from 1 to 1024")
        try expect(
            (0...1000).contains(batching.delayMilliseconds), "batching.delay_milliseconds",
            "must be from 0 to 1000")
        try expect(batching.waiting >= 1, "batching.waiting", "must be at least 1")
        try expect(batching.cachedAnswers >= 0, "batching.cached_answers", "must not be negative")
    }
}

extension ServerConfiguration {
    /// Reads settings.
    ///
    /// - Parameters:
    ///   - yaml: the text of the file.
    ///   - place: what errors call it.
    /// - Throws: ``ServerError`` that names the place, the line, and the key that is wrong or unknown.
    public init(yaml: String, place: String) throws {
        let root: Node?
        do { root = try Yams.compose(yaml: yaml) } catch {
            throw ServerError.setting(place, "is no YAML: \(error)")
        }
        guard let root, root.null == nil else { return }
        var reader = try MappingReader(root, place: place, key: "")
        try reader.read("host", { $0.string }, "a text") { host = $0 }
        try reader.read("port", { $0.int }, "a whole number") { port = $0 }
        try reader.read("names", { $0.array(of: String.self) }, "a list of texts") { names = $0 }
        try reader.read("key", { $0.string }, "a text") { key = $0 }
        try reader.read("uploads", { $0.string }, "a path") { uploads = FilePath($0) }
        try reader.read("photos", { $0.string }, "a path") { photos = FilePath($0) }
        try reader.section("limits") { part in
            try part.read("body_bytes", { $0.int }, "a whole number") { limits.bodyBytes = $0 }
            try part.read("pixels", { $0.int }, "a whole number") { limits.pixels = $0 }
            try part.read("characters", { $0.int }, "a whole number") { limits.characters = $0 }
            try part.read("results", { $0.int }, "a whole number") { limits.results = $0 }
            try part.read("body_seconds", { $0.float }, "a number") { limits.bodySeconds = $0 }
            try part.read("request_seconds", { $0.float }, "a number") {
                limits.requestSeconds = $0
            }
            try part.read("requests_per_second", { $0.float }, "a number") {
                limits.requestsPerSecond = $0
            }
            try part.read("connections", { $0.int }, "a whole number") { limits.connections = $0 }
        }
        try reader.section("batching") { part in
            try part.read("queries", { $0.int }, "a whole number") { batching.queries = $0 }
            try part.read("delay_milliseconds", { $0.float }, "a number") {
                batching.delayMilliseconds = $0
            }
            try part.read("waiting", { $0.int }, "a whole number") { batching.waiting = $0 }
            try part.read("cached_answers", { $0.int }, "a whole number") {
                batching.cachedAnswers = $0
            }
        }
        try reader.finish()
    }
}

/// Takes the keys of a mapping one by one, and refuses those that are left.
private struct MappingReader {
    private var rest: [String: (name: Node, value: Node)] = [:]
    private let place, key: String

    init(_ node: Node, place: String, key: String) throws {
        self.place = place
        self.key = key
        guard let mapping = node.mapping else {
            throw Self.error(node, place, key.isEmpty ? "is no mapping" : "\(key) is no mapping")
        }
        for (name, value) in mapping { rest[name.string ?? ""] = (name, value) }
    }

    private func named(_ name: String) -> String { key.isEmpty ? name : "\(key).\(name)" }

    private static func error(_ node: Node, _ place: String, _ what: String) -> ServerError {
        .setting(node.mark.map { "\(place):\($0.line)" } ?? place, what)
    }

    mutating func read<Value>(
        _ name: String, _ value: (Node) -> Value?, _ what: String, _ body: (Value) -> Void
    ) throws {
        guard let node = rest.removeValue(forKey: name)?.value, node.null == nil else { return }
        guard let value = value(node) else {
            throw Self.error(node, place, "\(named(name)) is not \(what)")
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
            unknown.value.name, place, "'\(named(unknown.key))' is no setting of the service")
    }
}

/// A service that cannot be started.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case setting, address }

    private let code: Code
    /// What is wrong, in one line.
    public let description: String

    static func setting(_ place: String, _ what: String) -> ServerError {
        ServerError(code: .setting, description: "\(place): \(what)")
    }

    static func address(_ host: String, _ port: Int, _ reason: String) -> ServerError {
        ServerError(code: .address, description: "cannot listen on \(host):\(port): \(reason)")
    }
}
