import Foundation
import Logging
import Retrieval
import RetrievalServer
import RetrievalTesting
import Synchronization
import SystemPackage
import TestSupport

/// A service in this process, over images and a model of the smallest size.
struct ServiceUnderTest: Sendable {
    static let key = "a key that only tests know"
    static let authorization = ["authorization": "Bearer \(key)"]

    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    let client: RawClient
    let folder: FilePath
    let model: SearchModel

    var index: FilePath { folder.appending("index") }
    var photos: FilePath { folder.appending("photos") }

    /// Runs a service while a test talks to it.
    ///
    /// - Parameters:
    ///   - count: images in the index.
    ///   - logger: gets its log.
    ///   - configure: changes its settings.
    static func run(
        images count: Int = 30, logger: Logger = silent,
        _ configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (ServiceUnderTest) async throws -> Void
    ) async throws {
        try await Fixtures.withTemporaryFolder { folder in
            let photos = folder.appending("photos")
            try TinyModel.writeImages(count, to: photos)
            let model = try TinyModel.search(in: folder)
            _ = try await Indexer(model).update(folder.appending("index"), with: photos)
            try await serve(folder, model, logger: logger, configure, body)
        }
    }

    /// Runs a service over an index that is there.
    ///
    /// - Parameter former: what the index was made with, if the service is to change it.
    static func serve(
        _ folder: FilePath, _ model: SearchModel, former: SearchModel? = nil,
        logger: Logger = silent,
        _ configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (ServiceUnderTest) async throws -> Void
    ) async throws {
        var configuration = ServerConfiguration()
        configuration.port = 0
        configuration.key = key
        // Beside all other tests a service may wait minutes for its turn; tests of these limits set
        // their own.
        configuration.limits.headSeconds = 300
        configuration.limits.bodySeconds = 300
        configuration.limits.requestSeconds = 300
        configuration.limits.idleSeconds = 300
        configure(&configuration)
        let service = try await RetrievalService(
            configuration, model: model, former: former, index: folder.appending("index"),
            logger: logger)
        let (ports, found) = AsyncStream<UInt16>.makeStream()
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                try await service.run { address in
                    found.yield(address.split(separator: ":").last.flatMap { UInt16($0) } ?? 0)
                    found.finish()
                }
            }
            var iterator = ports.makeAsyncIterator()
            let port = await iterator.next() ?? 0
            try await body(
                ServiceUnderTest(client: RawClient(port: port), folder: folder, model: model))
            group.cancelAll()
            // A service that is stopped so ends by this error.
            do { try await group.waitForAll() } catch is CancellationError {}
        }
    }

    /// The ids of all images.
    func ids() async throws -> [String] {
        let page = try await client.send("GET", "/api/images?limit=1000")
        let images = page.json["images"] as? [[String: Any]] ?? []
        return images.compactMap { $0["id"] as? String }
    }

    /// Searches, and gives the results.
    func results(_ query: [String: Any]) async throws -> [[String: Any]] {
        try await client.post("/api/search", query).json["results"] as? [[String: Any]] ?? []
    }
}
