import ImageText
import Retrieval
import SystemPackage
import Torch

/// The parts of the service that its routes share.
struct ServiceParts: Sendable {
    let configuration: ServerConfiguration
    let files: ServedFiles
    let library: IndexLibrary
    let metrics: ServiceMetrics
    /// The thread that runs the model.
    let compute: WorkQueue
    /// The threads that read and scale images.
    let images: WorkQueue
    /// The threads that parse the JSON of requests and build long answers.
    let documents: WorkQueue
    /// The thread that writes to the index.
    let disk: WorkQueue
    /// The memory that the bodies of all requests share.
    let bodies = BodyBudget()
    let batcher: QueryBatcher
    /// Changes the index for clients and the folder; nil if neither may write.
    let writer: GalleryWriter?
    /// Stores the images that clients send; nil if clients may not write.
    let writing: Writing?
    let follower: FolderFollower?
    /// Changes the index to the wanted model; nil if it already has that model.
    let changer: ModelChanger?
    /// The model that answers questions about images; nil if nobody may ask.
    let questions: QuestionModel?
    /// The model that answers now; it changes when the index is changed to another model.
    var model: SearchModel { library.model }

    /// The parts that serve writing clients.
    struct Writing: Sendable {
        let writer: GalleryWriter
        let store: UploadStore
    }

    /// Returns a client's text if it is no longer than the limit.
    ///
    /// - Throws: ``Problem`` that names the field.
    func checked(_ text: String, _ field: String) throws -> String {
        let limit = configuration.limits.characters
        guard text.unicodeScalars.prefix(limit + 1).count <= limit else {
            throw Problem(.invalidRequest, "\(field): must have at most \(limit) characters")
        }
        return text
    }

    /// Reads the image files of a query, so that the model's thread need not wait for them.
    ///
    /// - Throws: ``Problem`` if too many images wait; `ImageError` if a file cannot be read.
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

    /// Decodes an image and prepares it for each image encoder of the model.
    ///
    /// - Throws: ``Problem`` if too many images wait; `ImageError` if the image cannot be read.
    func pixels(of bytes: [UInt8], named name: String) async throws -> PreparedImage {
        let model = model
        let loader = ImageLoader(
            maximumPixels: configuration.limits.pixels, targetSide: model.loader.targetSide)
        return try await images.run { model.pixels(of: try loader.load(bytes, named: name)) }
    }

    /// Reads the bytes of an image in the index.
    ///
    /// - Throws: ``Problem`` if the file no longer exists or is not an image.
    func bytes(of file: FilePath) async throws -> [UInt8] {
        try await images.run {
            do { return try ImageLoader.bytes(of: file) } catch let error as ImageError {
                throw Problem(.notFound, "the image's file: \(error.reason)")
            }
        }
    }
}
