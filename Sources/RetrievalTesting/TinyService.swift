public import Logging
public import Retrieval
public import RetrievalServer
public import SystemPackage

/// A search service in this process over an index of tiny images, with a client.
///
/// ``withTinyService(images:model:recall:logger:isolation:configure:_:)`` starts one.
public struct TinyService: Sendable {
    /// The key that writing requests need, unless the settings have another.
    public static let key = "a key that only tests know"
    /// The header field that carries ``key``.
    ///
    ///     let answer = try await service.client.send(
    ///         "DELETE", "/api/images/\(id)", headers: TinyService.authorization)
    public static let authorization = ["authorization": "Bearer \(key)"]

    /// Talks to the service.
    public let client: ServiceClient
    /// What made the index.
    public let model: SearchModel
    /// Holds the index, the images and what clients upload.
    public let folder: FilePath

    package init(client: ServiceClient, model: SearchModel, folder: FilePath) {
        self.client = client
        self.model = model
        self.folder = folder
    }

    /// The directory of the index.
    public var index: FilePath { folder.appending("index") }
    /// The folder of the images that were there at the start.
    public var images: FilePath { folder.appending("images") }
}

/// Calls a function while a search service runs in this process, over an index of tiny images.
///
/// It listens on a free port of the loopback, and answers over real HTTP as `albef serve` does.
/// Afterwards it is stopped, and its files are removed.
///
///     try await withTinyService(images: 6) { service in
///         let answer = try await service.client.post(
///             "/api/search", ["text": "a dog", "count": 3])
///         #expect(answer.status == 200)
///     }
///
/// - Parameters:
///   - count: images in the index, those of ``TinyImages/write(_:to:)``; default 12.
///   - model: what makes the index and re-ranks; default ``TinyModel/init(dialect:task:seed:vision:)``.
///   - recall: another model, which recalls; nil for one model.
///   - logger: gets the service's log; nil drops it.
///   - isolation: the actor that runs the functions; by default the caller's.
///   - configure: changes the settings, as
///     ``withRetrievalService(_:former:questions:index:logger:isolation:configure:_:)`` says.
///   - body: gets the service.
/// - Returns: what the function returns.
/// - Throws: what the function throws; `FolderError` if there are no images; as
///   ``TinyModel/makeSearchModel(in:recall:)`` and
///   ``withRetrievalService(_:former:questions:index:logger:isolation:configure:_:)``.
public func withTinyService<Result>(
    images count: Int = 12, model: TinyModel = TinyModel(), recall: TinyModel? = nil,
    logger: Logger? = nil, isolation: isolated (any Actor)? = #isolation,
    configure: (inout ServerConfiguration) -> Void = { _ in },
    _ body: (_ service: TinyService) async throws -> Result
) async throws -> Result {
    try await withTemporaryFolder { folder in
        let index = folder.appending("index")
        let searchModel = try await makeTinyIndex(
            index, of: count, in: folder.appending("images"), model, recall)
        return try await withRetrievalService(
            searchModel, index: index, logger: logger, configure: configure
        ) { client in
            try await body(TinyService(client: client, model: searchModel, folder: folder))
        }
    }
}
