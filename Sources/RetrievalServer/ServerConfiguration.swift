public import SystemPackage

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
    ///
    /// At least ``minimumKeyLength`` characters of ASCII.
    public var key: String?
    /// What reading requests have to carry, as `Bearer KEY` or as the password of HTTP's basic
    /// authentication, which browsers ask for; nil lets everybody read.
    ///
    /// The key for writing opens reading too. `/health/live` stays open.
    public var readKey: String?
    /// Addresses and networks, such as `10.0.0.0/8`, of proxies that are believed; default none.
    ///
    /// Their `X-Forwarded-For`, or where that is missing `Forwarded`, says who the client is: to the
    /// log and to the limits of an address.
    public var trustedProxies: [String] = []
    /// Where images that clients add are kept; nil keeps them at the index's path with `.uploads`.
    public var uploads: FilePath?
    /// A folder of images that the index is kept in step with; nil follows no folder.
    public var photos: FilePath?
    /// Patterns of files and folders of ``photos`` to leave out, such as `*.tmp.jpg` or
    /// `2014/drafts`; default empty.
    ///
    /// A file `.albefignore` in a folder holds such patterns too.
    public var exclude: [String] = []
    /// The program's version, for the log and the metrics; not read from a file.
    public var version = ""
    /// Bounds on what clients may ask.
    public var limits = Limits()
    /// How requests share the model.
    public var batching = Batching()

    /// Bounds on what clients may ask.
    public struct Limits: Sendable, Hashable {
        /// Bytes of a request's body; default 20 MiB.
        public var bodyBytes = 20 << 20
        /// Bytes of a request's JSON, by itself or as the `query` of a form; default 256 KiB.
        public var documentBytes = 256 << 10
        /// Bytes of the JSON of one image's metadata; default 16 KiB.
        public var metadataBytes = 16 << 10
        /// Pixels that an image may declare; default 50 million.
        public var pixels = 50_000_000
        /// Characters of a text; default 2,000.
        public var characters = 2000
        /// Results of a search; default 1,000.
        public var results = 1000
        /// Candidates that a search may have re-ranked; default 128.
        public var candidates = 128
        /// Seconds for the head of a request to arrive; default 10.
        public var headSeconds = 10.0
        /// Seconds for a body to arrive; default 20.
        public var bodySeconds = 20.0
        /// Seconds for an answer; default 30.
        public var requestSeconds = 30.0
        /// Seconds that a connection may be open without a request; default 60.
        public var idleSeconds = 60.0
        /// Requests a second that one address may make, with bursts of three times as many.
        ///
        /// 0: any number. Default 50, and on the loopback any number.
        public var requestsPerSecond: Double?
        /// Connections at a time; default 1,024.
        public var connections = 1024
        /// Connections of one address at a time; default 256.
        ///
        /// Trusted proxies have no such limit.
        public var connectionsPerAddress = 256

        /// The defaults.
        public init() {}
    }

    /// How requests share the model.
    public struct Batching: Sendable, Hashable {
        /// Queries that are answered together at most, 1 without batching; default 16.
        public var queries = 16
        /// Milliseconds that an idle model waits for a second query; default 0.
        ///
        /// At 0, queries are batched only when they arrive while the model is busy, so no query waits.
        public var delayMilliseconds = 0.0
        /// Requests that may wait for the model, beyond which the answer is 503; default 256.
        public var waiting = 256
        /// Answers that are remembered while the index stays as it is; default 512, 0: none.
        public var cachedAnswers = 512

        /// The defaults.
        public init() {}
    }

    /// The fewest characters of a key.
    public static let minimumKeyLength = 16

    /// The defaults.
    public init() {}

    /// Whether only this machine reaches the address.
    public var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.hasPrefix("127.")
    }
}
