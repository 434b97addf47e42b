public import Logging
public import Retrieval
public import RetrievalServer
public import SystemPackage

/// Calls a function while a search service runs in this process, over an index of the caller's.
///
///     try await withRetrievalService(model, index: index) { client in
///         let answer = try await client.send("GET", "/health/ready")
///         #expect(answer.status == 200)
///     }
///
/// - Parameters:
///   - model: what made the index, or what it is to be changed to.
///   - former: what made the index, if that is another model.
///   - questions: what answers questions about images; nil refuses them.
///   - index: its directory. Uploads are kept beside it.
///   - logger: gets the service's log; nil drops it.
///   - isolation: the actor that runs the functions; by default the caller's.
///   - configure: changes the settings. They begin as `ServerConfiguration()` with port 0, the key
///     ``TinyService/key``, and five minutes for each step of a request, so that a slow machine
///     fails no test. The client talks to 127.0.0.1, so the service must listen there.
///   - body: gets a client of the service.
/// - Returns: what the function returns.
/// - Throws: what the function throws; `ServerError` for settings that do not fit or an address
///   that cannot be listened on; `IndexError` if the index cannot be opened;
///   ``RetrievalTestingError`` if the service ends before it listens.
public func withRetrievalService<Result>(
    _ model: SearchModel, former: SearchModel? = nil, questions: QuestionModel? = nil,
    index: FilePath, logger: Logger? = nil, isolation: isolated (any Actor)? = #isolation,
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (_ client: ServiceClient) async throws -> Result
) async throws -> Result {
    var configuration = ServerConfiguration()
    configuration.port = 0
    configuration.key = TinyService.key
    configuration.limits.headSeconds = 300
    configuration.limits.bodySeconds = 300
    configuration.limits.requestSeconds = 300
    configuration.limits.idleSeconds = 300
    configure(&configuration)
    let service = try await RetrievalService(
        configuration, model: model, former: former, questions: questions, index: index,
        logger: logger ?? Logger(label: "RetrievalTesting") { _ in SwiftLogNoOpLogHandler() })
    let (ports, found) = AsyncStream<UInt16>.makeStream()
    return try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
            // Otherwise a service that cannot listen would be waited for without end.
            defer { found.finish() }
            try await service.run(handlesSignals: false) { address in
                if let port = address.split(separator: ":").last.flatMap({ UInt16($0) }) {
                    found.yield(port)
                }
                found.finish()
            }
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next(isolation: isolation) else {
            try await group.waitForAll()
            throw RetrievalTestingError.stopped()
        }
        let result = try await body(ServiceClient(port: port))
        group.cancelAll()
        // A service that is cancelled ends by this error.
        do { try await group.waitForAll() } catch is CancellationError {}
        return result
    }
}
