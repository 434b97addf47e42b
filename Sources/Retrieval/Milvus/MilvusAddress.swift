import Foundation

/// The address of a collection in Milvus, with the settings of its client.
///
///     milvus://[user:password@|token@]host[:port][/database]/collection[?settings]
///
/// `milvuss://` and `?tls=true` encrypt the connection. Without a token in the address, the
/// environment's `MILVUS_TOKEN` is used. ``description`` never contains a token.
public struct MilvusAddress: Sendable, Hashable, CustomStringConvertible {
    /// The name or the IP address of the server.
    public let host: String
    /// The port; 19530 by default.
    public let port: Int
    /// The database; empty for the server's default.
    public let database: String
    /// The collection.
    public let collection: String
    /// The token, or `user:password`; nil for none.
    public let token: String?
    /// The settings of the client.
    public let settings: Settings

    /// The settings of the client, the index and the searches.
    public struct Settings: Sendable, Hashable {
        /// Whether the connection is encrypted; `tls`.
        public var usesTLS = false
        /// A PEM file with the certificates to trust; nil for the system's; `ca`.
        public var certificates: String?
        /// The kind of the index that a new collection gets; `index`.
        public var index = IndexKind.hnsw
        /// The neighbours of a vector in HNSW; `m`.
        public var links = 16
        /// The candidates when HNSW adds a vector; `ef_construction`.
        public var building = 200
        /// The clusters of IVF_SQ8; `nlist`.
        public var lists = 1024
        /// The candidates of a search in HNSW; never fewer than the results; `ef`.
        public var searching = 256
        /// The clusters that a search in IVF_SQ8 reads; `nprobe`.
        public var probes = 32
        /// How recent the data of a search must be; `consistency`.
        public var consistency = Consistency.bounded
        /// The seconds after which an operation gives up; nil for 10 to search and 300 to push;
        /// `timeout`.
        public var timeout: Double?
        /// The shards of a new collection; `shards`.
        public var shards = 1
        /// The copies of the collection that answer searches; `replicas`.
        public var replicas = 1

        /// Creates the default settings.
        public init() {}
    }

    /// A kind of index in Milvus.
    public enum IndexKind: String, Sendable, Hashable, CaseIterable {
        case hnsw = "HNSW"
        case flat = "FLAT"
        case ivfSQ8 = "IVF_SQ8"
    }

    /// How recent the data of a search must be.
    public enum Consistency: String, Sendable, Hashable, CaseIterable {
        /// Everything that was acknowledged before; a search waits for it.
        case strong
        /// All but the last seconds.
        case bounded
        /// Whatever the server has at hand.
        case eventually
    }

    /// Returns whether a text is meant as such an address.
    public static func isAddress(_ text: String) -> Bool {
        text.hasPrefix("milvus://") || text.hasPrefix("milvuss://")
    }

    /// Reads an address.
    ///
    /// - Parameters:
    ///   - text: The address.
    ///   - environment: Where `MILVUS_TOKEN` is looked up; nil for the process's environment.
    /// - Throws: ``RecallError`` that names the invalid part, but no token.
    public init(_ text: String, environment: [String: String]? = nil) throws {
        guard Self.isAddress(text), let parts = URLComponents(string: text) else {
            throw RecallError.address(
                "'\(Self.safe(text))' is not an address such as milvus://host:19530/collection")
        }
        let shown = "\(parts.scheme ?? "")://\(parts.host ?? "")\(parts.path)"
        func fail(_ problem: String) -> RecallError { .address("\(shown): \(problem)") }
        guard let name = parts.host, !name.isEmpty else { throw fail("the host is missing") }
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
        port = parts.port ?? 19530
        guard (1...65_535).contains(port) else { throw fail("the port must be from 1 to 65535") }
        let path = parts.path.split(separator: "/").map(String.init)
        guard let last = path.last, path.count <= 2 else {
            throw fail("name a collection, or a database and a collection: /collection")
        }
        for part in path {
            guard Self.isName(part) else {
                throw fail(
                    "'\(part)' is not a name in Milvus, which has letters, digits and _, and no"
                        + " digit first")
            }
        }
        collection = last
        database = path.count == 2 ? path[0] : ""
        var settings = Settings()
        settings.usesTLS = parts.scheme == "milvuss"
        for item in parts.queryItems ?? [] {
            try settings.set(item.name, item.value ?? "", fail)
        }
        self.settings = settings
        switch (parts.user, parts.password) {
        case (let user?, let password?): token = "\(user):\(password)"
        case (let user?, nil) where !user.isEmpty: token = user
        default:
            let variables = environment ?? ProcessInfo.processInfo.environment
            token = variables["MILVUS_TOKEN"].flatMap { $0.isEmpty ? nil : $0 }
        }
    }

    /// The address without token and settings.
    public var description: String {
        let scheme = settings.usesTLS ? "milvuss" : "milvus"
        let place = host.contains(":") ? "[\(host)]" : host
        return "\(scheme)://\(place):\(port)/" + (database.isEmpty ? "" : "\(database)/")
            + collection
    }

    private static func isName(_ text: String) -> Bool {
        text.utf8.count <= 255
            && text.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]*/) != nil
    }

    /// Returns a text without what may be a token.
    private static func safe(_ text: String) -> String {
        guard let at = text.lastIndex(of: "@") else { return String(text.prefix(80)) }
        return "…" + text[at...].prefix(80)
    }
}

extension MilvusAddress.Settings {
    fileprivate mutating func set(
        _ name: String, _ value: String, _ fail: (String) -> RecallError
    ) throws {
        func whole(_ range: ClosedRange<Int>) throws -> Int {
            guard let number = Int(value), range.contains(number) else {
                throw fail(
                    "\(name)=\(value): must be from \(range.lowerBound) to \(range.upperBound)")
            }
            return number
        }
        func choice<Value: RawRepresentable & CaseIterable>(_ type: Value.Type) throws -> Value
        where Value.RawValue == String {
            let found = type.allCases.first { $0.rawValue.lowercased() == value.lowercased() }
            guard let found else {
                let names = type.allCases.map { $0.rawValue.lowercased() }
                throw fail("\(name)=\(value): must be \(names.joined(separator: ", "))")
            }
            return found
        }
        switch name {
        case "tls":
            guard let flag = Bool(value) else { throw fail("tls must be true or false") }
            usesTLS = flag
        case "ca": certificates = value
        case "index": index = try choice(MilvusAddress.IndexKind.self)
        case "m": links = try whole(2...2048)
        case "ef_construction": building = try whole(8...32_768)
        case "nlist": lists = try whole(1...65_536)
        case "ef": searching = try whole(1...32_768)
        case "nprobe": probes = try whole(1...65_536)
        case "consistency": consistency = try choice(MilvusAddress.Consistency.self)
        case "shards": shards = try whole(1...64)
        case "replicas": replicas = try whole(1...1024)
        case "timeout":
            guard let seconds = Double(value), (0.1...86_400).contains(seconds) else {
                throw fail("timeout=\(value): must be from 0.1 to 86400 seconds")
            }
            timeout = seconds
        default:
            throw fail(
                "'\(name)' is not a setting; known are tls, ca, index, m, ef_construction, nlist,"
                    + " ef, nprobe, consistency, timeout, shards and replicas")
        }
    }
}
