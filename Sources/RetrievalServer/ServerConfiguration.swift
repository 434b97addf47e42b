public import SystemPackage

/// The settings of a service: its address, its limits, and its batching.
///
/// ``init(yaml:place:)`` reads them from YAML. Every key is optional; an unknown key is an error:
///
///     host: 127.0.0.1
///     port: 8080
///     limits:
///       body_bytes: 20971520
///     batching:
///       queries: 16
public struct ServerConfiguration: Sendable, Hashable {
    /// The address to listen on; by default the loopback, which other machines cannot reach.
    public var host = "127.0.0.1"
    /// The port to listen on, or 0 for any free port; 8080 by default.
    public var port = 8080
    /// The host names, besides the address, that the service accepts; empty by default.
    ///
    /// On the loopback the service refuses every other name. Otherwise a web page could reach it
    /// through a browser (DNS rebinding). On other addresses an empty list accepts every name.
    public var names: [String] = []
    /// The key that clients send to write, as `Authorization: Bearer KEY`; nil refuses all writes.
    ///
    /// A key has at least ``minimumKeyLength`` printable ASCII characters.
    public var key: String?
    /// The key that clients send to read; nil lets everybody read.
    ///
    /// A client sends it as `Bearer KEY`, or as the password of HTTP basic authentication, for
    /// which browsers ask their user. The key for writing also permits reading. `/health/live`
    /// needs no key.
    public var readKey: String?
    /// The addresses and networks, such as `10.0.0.0/8`, of trusted proxies; empty by default.
    ///
    /// For their requests, the log and the limits per address use the client's address in
    /// `X-Forwarded-For` or, if that is missing, in `Forwarded`.
    public var trustedProxies: [String] = []
    /// The folder for images that clients add; nil means the index's path followed by `.uploads`.
    public var uploads: FilePath?
    /// The folder of images that the index follows; nil for none.
    public var photos: FilePath?
    /// The patterns of files and folders in ``photos`` to leave out, such as `*.tmp.jpg` or
    /// `2014/drafts`; empty by default.
    ///
    /// A file named `.albefignore` in a folder can hold further patterns.
    public var exclude: [String] = []
    /// The address of the store that proposes candidates, such as
    /// `milvus://127.0.0.1:19530/images`; nil for the index itself.
    ///
    /// The program that runs the service passes the store's client to it. Such a service cannot
    /// write to its index, because searches would not find new images.
    public var recall: String?
    /// The program's version, for the log and the metrics; a file cannot set it.
    public var version = ""
    /// The bounds on requests and connections.
    public var limits = Limits()
    /// The way in which requests share the model.
    public var batching = Batching()

    /// Bounds on requests and connections.
    public struct Limits: Sendable, Hashable {
        /// The most bytes of a request body; 20 MiB by default.
        public var bodyBytes = 20 << 20
        /// The most bytes of a request's JSON, sent as the body or as the `query` of a form; 256 KiB
        /// by default.
        public var documentBytes = 256 << 10
        /// The most bytes of one image's metadata as JSON; 16 KiB by default.
        public var metadataBytes = 16 << 10
        /// The most pixels that an image file may declare; 50 million by default.
        public var pixels = 50_000_000
        /// The most characters (Unicode scalars) of a text; 2,000 by default.
        public var characters = 2000
        /// The most results of a search; 1,000 by default.
        public var results = 1000
        /// The most candidates that a search may re-rank; 128 by default.
        public var candidates = 128
        /// The seconds within which the head of a request must arrive; 10 by default.
        public var headSeconds = 10.0
        /// The seconds within which a body must arrive; 20 by default.
        public var bodySeconds = 20.0
        /// The seconds within which the service answers or gives up; 30 by default.
        public var requestSeconds = 30.0
        /// The seconds that a connection may stay open without a request; 60 by default.
        public var idleSeconds = 60.0
        /// The requests per second that one address may make, in bursts of up to three times as many.
        ///
        /// 0 lifts the limit. By default the limit is 50, and there is none on the loopback.
        public var requestsPerSecond: Double?
        /// The most connections open at a time; 1,024 by default.
        public var connections = 1024
        /// The most connections of one address open at a time; 256 by default.
        ///
        /// Trusted proxies have no such limit.
        public var connectionsPerAddress = 256

        /// Creates the default settings.
        public init() {}
    }

    /// The way in which requests share the model.
    public struct Batching: Sendable, Hashable {
        /// The most queries in one batch, where 1 turns batching off; 16 by default.
        public var queries = 16
        /// The milliseconds that an idle model waits for a second query; 0 by default.
        ///
        /// At 0, queries are batched only when they arrive while the model is busy, so no query waits.
        public var delayMilliseconds = 0.0
        /// The most requests that may wait for the model; 256 by default.
        ///
        /// The service answers further requests with status 503.
        public var waiting = 256
        /// The most answers to cache, where 0 turns the cache off; 512 by default.
        ///
        /// A change of the index invalidates the cached answers.
        public var cachedAnswers = 512

        /// Creates the default settings.
        public init() {}
    }

    /// The least number of characters in a key.
    public static let minimumKeyLength = 16

    /// Creates the default settings.
    public init() {}

    /// Whether the host is a loopback address, which only this machine can reach.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}
