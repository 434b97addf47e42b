import ImageText
import Retrieval
import SystemPackage
import Torch

/// What the routes share.
struct ServiceParts: Sendable {
    let configuration: ServerConfiguration
    let library: IndexLibrary
    let metrics: ServiceMetrics
    /// The model's thread.
    let compute: WorkQueue
    /// Threads that read and scale images.
    let images: WorkQueue
    /// Threads that take requests' documents apart, and put long answers together.
    let documents: WorkQueue
    /// The thread that writes to the index.
    let disk: WorkQueue
    /// What the bodies of all requests take.
    let bodies = BodyBudget()
    let batcher: QueryBatcher
    /// Changes the index for clients and the folder; nil where neither may.
    let writer: GalleryWriter?
    /// What clients that write need; nil where none may.
    let writing: Writing?
    let follower: FolderFollower?
    /// Changes the index to the model that is wanted; nil where it is of that one.
    let changer: ModelChanger?
    /// The model that answers now: another after the index was changed to it.
    var model: SearchModel { library.model }

    /// What writing needs.
    struct Writing: Sendable {
        let writer: GalleryWriter
        let store: UploadStore
    }

    /// A text that a client sent, if it may be so long.
    ///
    /// - Throws: ``Problem`` that names the field.
    func checked(_ text: String, _ field: String) throws -> String {
        let limit = configuration.limits.characters
        guard text.unicodeScalars.prefix(limit + 1).count <= limit else {
            throw Problem(.invalidRequest, "\(field): \(limit) characters at most")
        }
        return text
    }

    /// A query whose image files are read already, so that the model's thread need not wait for them.
    ///
    /// - Throws: ``Problem`` if too much waits; `ImageError` if one cannot be read.
    func decoded(_ query: SearchQuery) async throws -> SearchQuery {
        let model = model
        var query = query
        for place in query.images.indices {
            guard case .file(let file) = query.images[place] else { continue }
            query.images[place] = .pixels(
                try await images.run { try model.pixels(of: file) })
        }
        return query
    }

    /// Reads an image as the input of the model, or of both.
    ///
    /// - Throws: ``Problem`` if too much waits; `ImageError` if it cannot be read.
    func pixels(of bytes: [UInt8], named name: String) async throws -> PreparedImage {
        let model = model
        let loader = ImageLoader(
            maximumPixels: configuration.limits.pixels, targetSide: model.loader.targetSide)
        return try await images.run { model.pixels(of: try loader.load(bytes, named: name)) }
    }

    /// The bytes of an image of the index.
    ///
    /// - Throws: ``Problem`` if its file is gone or is no image.
    func bytes(of file: FilePath) async throws -> [UInt8] {
        try await images.run {
            do { return try ImageLoader.bytes(of: file) } catch let error as ImageError {
                throw Problem(.notFound, "the image's file: \(error.reason)")
            }
        }
    }
}
