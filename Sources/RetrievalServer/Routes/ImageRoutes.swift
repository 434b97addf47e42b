import HTTPTypes
import Hummingbird
import ImageText
import NIOCore
import Retrieval
import Storage
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The routes for images: their facts and files, and their addition, replacement and removal.
struct ImageRoutes: Sendable {
    private struct Document: Encodable {
        let id, name, path: String
        let folder: String
        let size: Int
        let modified: String
        let about: ImageFactsDocument
        let sha256: String
        let metadata: [String: MetadataValue]

        init(_ entry: IndexEntry) {
            id = EntryKey(entry.path).description
            name = entry.metadata.displayName(of: entry.path)
            path = entry.path.string
            folder = entry.folder
            size = entry.size
            about = ImageFactsDocument(entry.about)
            modified = Date(timeIntervalSince1970: Double(entry.modified) / 1e9).formatted(.iso8601)
            sha256 = entry.sha256
            metadata = entry.metadata
        }
    }

    private let parts: ServiceParts
    private let thumbnails: ThumbnailMaker

    init(_ parts: ServiceParts) {
        self.parts = parts
        thumbnails = ThumbnailMaker(
            parts.images, maximumPixels: parts.configuration.limits.pixels)
    }

    func add(to router: RouterGroup<ServiceContext>) {
        router.get("images") { request, _ in try await list(request) }
        router.get("facets") { _, _ in try await facets() }
        router.get("images/:id") { _, context in
            JSON.response(Document(try entry(context)))
        }
        router.get("images/:id/thumbnail") { request, context in
            try await thumbnail(request, context)
        }
        router.get("images/:id/original") { request, context in
            try await original(request, context)
        }
        let writing = router.group().add(middleware: KeyMiddleware(parts.configuration.key))
        writing.post("images") { request, _ in try await add(request) }
        writing.put("images/:id") { request, context in try await replace(request, context) }
        writing.delete("images/:id") { _, context in try await remove(context) }
    }

    private func entry(_ context: ServiceContext) throws -> IndexEntry {
        let (gallery, id) = try parts.library.find(context.imageID)
        return try gallery.index.entry(id)
    }

    // MARK: Reading

    private func list(_ request: Request) async throws -> Response {
        struct Page: Encodable {
            let total: Int
            let images: [Document]
        }
        let offset = try request.number("offset", in: 0...SearchRequest.farthest) ?? 0
        let limit = try request.number("limit", in: 1...1000) ?? 24
        let (filters, order) = (try request.filters("where"), try request.order("sort"))
        let index = parts.library.gallery.index
        // A page may be large, so it is built off the threads that answer requests.
        return try await parts.documents.run {
            let page = try index.page(where: filters, by: order, skipping: offset, count: limit)
            return JSON.response(
                Page(total: page.total, images: try page.ids.map { Document(try index.entry($0)) }))
        }
    }

    private func facets() async throws -> Response {
        let index = parts.library.gallery.index
        return try await parts.documents.run { JSON.response(try index.facets()) }
    }

    private func thumbnail(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let side = ThumbnailMaker.side(
            atLeast: try request.number("side", in: 16...2048) ?? 320)
        let entry = try entry(context)
        if let known = unchanged(request, entry, "\(side)") { return known }
        do {
            let bytes = try await thumbnails.thumbnail(of: entry, side: side)
            return image(bytes, "image/jpeg", entry, "\(side)")
        } catch let error as ImageError {
            throw Problem(.notFound, "the image's file: \(error.reason)")
        }
    }

    private func original(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let entry = try entry(context)
        if let known = unchanged(request, entry, "original") { return known }
        let bytes = try await parts.bytes(of: entry.path)
        guard let kind = ImageKind(bytes) else {
            throw Problem(.notFound, "the image's file is no longer an image")
        }
        var response = image(bytes, kind.mediaType, entry, "original")
        // A file that a client sent must not run scripts in the origin of the page.
        response.headers[.contentSecurityPolicy] = "default-src 'none'; sandbox"
        response.headers[.contentDisposition] = ContentDisposition.inline(
            entry.metadata.displayName(of: entry.path), kind.fileExtension)
        return response
    }

    private static let caching = "private, max-age=60, must-revalidate"

    /// Returns a weak tag, because a file may change shortly before its entry does.
    private func tag(_ entry: IndexEntry, _ form: String) -> EntityTag {
        EntityTag("\(entry.sha256.prefix(32))-\(form)")
    }

    private func unchanged(_ request: Request, _ entry: IndexEntry, _ form: String) -> Response? {
        tag(entry, form).notModified(request, caching: Self.caching)
    }

    private func image(
        _ bytes: [UInt8], _ type: String, _ entry: IndexEntry, _ form: String
    ) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type, .eTag: tag(entry, form).description,
                .cacheControl: Self.caching,
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    // MARK: Writing

    /// The metadata that a client sends with an image.
    private struct Notes: Decodable {
        enum CodingKeys: String, CodingKey, CaseIterable { case metadata }
        var metadata: [String: MetadataValue]?

        init(from decoder: any Decoder) throws {
            try decoder.refuseOthers(than: CodingKeys.self)
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            metadata = try fields.decodeIfPresent(
                [String: MetadataValue].self, forKey: .metadata)
            guard (metadata?.count ?? 0) <= 64 else {
                throw Problem(.invalidRequest, "metadata: must have at most 64 names")
            }
        }
    }

    private struct Sent {
        let bytes: [UInt8]
        let fileName: String?
        let kind: ImageKind
        let metadata: [String: MetadataValue]?
        let pixels: PreparedImage
    }

    private func receive(_ request: Request) async throws -> Sent {
        let submission = try await request.submission(Notes.self, parts)
        guard let sent = submission.image else {
            throw Problem(.unsupportedMedia, "send the image as multipart/form-data")
        }
        guard parts.library.gallery.index.content == .images else {
            throw Problem(.conflict, "this is an index of texts, which cannot hold images")
        }
        guard let kind = ImageKind(sent.bytes) else {
            throw Problem(.unsupportedImage, "the image has an unknown format")
        }
        let pixels = try await parts.pixels(of: sent.bytes, named: "the image")
        return Sent(
            bytes: sent.bytes, fileName: sent.fileName, kind: kind,
            metadata: submission.document.metadata, pixels: pixels)
    }

    private func writing() throws -> ServiceParts.Writing {
        guard let writing = parts.writing else {
            throw Problem(.forbidden, "this service is read-only; it was started without a key")
        }
        if let refusal = parts.library.refusal { throw refusal }
        return writing
    }

    private func add(_ request: Request) async throws -> Response {
        let writing = try writing()
        let sent = try await receive(request)
        var metadata = sent.metadata ?? [:]
        if let name = sent.fileName?.prefix(200), !name.isEmpty,
            metadata[[String: MetadataValue].nameKey] == nil
        {
            metadata[[String: MetadataValue].nameKey] = .text(String(name))
        }
        let path = writing.store.newPath(extension: sent.kind.fileExtension)
        let entry = try await put(sent, metadata, at: path, waitingAt: nil, writing)
        var response = JSON.response(Document(entry), status: .created)
        response.headers[.location] = "/api/images/\(EntryKey(path))"
        return response
    }

    private func replace(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let writing = try writing()
        let old = try own(context, writing.store)
        let sent = try await receive(request)
        let entry = try await put(
            sent, sent.metadata ?? old.metadata, at: old.path,
            waitingAt: writing.store.pendingPath(for: old.path), writing)
        return JSON.response(Document(entry))
    }

    /// Removes an image from the index, and its file if a client sent it.
    private func remove(_ context: ServiceContext) async throws -> Response {
        let writing = try writing()
        let old = try entry(context)
        if !writing.store.owns(old.path), parts.follower?.owns(old.path) == true {
            throw Problem(
                .conflict,
                "this image is a file in the folder that the index follows; remove the file from"
                    + " that folder")
        }
        guard try await writing.writer.apply(.remove(old.path)).contains(old.path) else {
            throw Problem(.notFound, "no image has this id")
        }
        return Response(status: .noContent)
    }

    private func own(_ context: ServiceContext, _ store: UploadStore) throws -> IndexEntry {
        let entry = try entry(context)
        guard store.owns(entry.path) else {
            throw Problem(
                .conflict, "this image is a file of a folder; replace the file in that folder")
        }
        return entry
    }

    /// Writes an image's file and then its entry; deletes the file if the entry cannot be written.
    private func put(
        _ sent: Sent, _ metadata: [String: MetadataValue], at path: FilePath,
        waitingAt waiting: FilePath?, _ writing: ServiceParts.Writing
    ) async throws -> IndexEntry {
        let (images, target) = (parts.images, waiting ?? path)
        // An unstructured task outlives the request's cancellation, so that the writer receives
        // every file that was written, and can delete it.
        let file = try await Task {
            try await images.run(.upload) { try writing.store.write(sent.bytes, to: target) }
        }.value
        let entry = IndexEntry(
            path: path, size: file.size, modified: file.modified,
            sha256: ContentDigest(of: sent.bytes).hexadecimal, about: ImageFacts(of: sent.bytes),
            metadata: metadata)
        _ = try await writing.writer.apply(.put(entry, pixels: sent.pixels, waiting: waiting))
        return entry
    }
}
