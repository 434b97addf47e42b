import Logging
import Retrieval
import RetrievalServer
import RetrievalTesting
import SystemPackage
import TestSupport

extension TinyService {
    static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Runs a service while a test talks to it, with one model or with two.
    ///
    /// - Parameters:
    ///   - count: images in the index.
    ///   - logger: gets its log.
    ///   - configure: changes its settings.
    static func run(
        images count: Int = 30, logger: Logger = silent,
        _ configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TinyService) async throws -> Void
    ) async throws {
        try await withTinyService(
            images: count, recall: TinyModel.hasRecall ? .towers() : nil, logger: logger,
            configure: configure, body)
    }

    /// Runs a service over an index that is there.
    ///
    /// - Parameter former: what the index was made with, if the service is to change it.
    static func serve(
        _ folder: FilePath, _ model: SearchModel, former: SearchModel? = nil,
        logger: Logger = silent,
        _ configure: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TinyService) async throws -> Void
    ) async throws {
        try await withRetrievalService(
            model, former: former, index: folder.appending("index"), logger: logger,
            configure: configure
        ) { client in
            try await body(TinyService(client: client, model: model, folder: folder))
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
