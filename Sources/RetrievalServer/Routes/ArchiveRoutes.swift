import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval
import SystemPackage

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// The route that sends the files of several images as one zip archive.
struct ArchiveRoutes: Sendable {
    /// The most images in one archive.
    static let maximumImages = 1000

    private struct ArchiveRequest: Decodable {
        enum CodingKeys: String, CodingKey, CaseIterable { case ids }
        var ids: [String]

        init(from decoder: any Decoder) throws {
            try decoder.refuseOthers(than: CodingKeys.self)
            let fields = try decoder.container(keyedBy: CodingKeys.self)
            ids = try fields.texts(forKey: .ids, atMost: ArchiveRoutes.maximumImages) ?? []
        }
    }

    private let parts: ServiceParts

    init(_ parts: ServiceParts) { self.parts = parts }

    func add(to router: RouterGroup<ServiceContext>) {
        router.post("archive") { request, _ in try await archive(request) }
    }

    private func archive(_ request: Request) async throws -> Response {
        let submission = try await request.submission(ArchiveRequest.self, parts)
        guard submission.image == nil else {
            throw Problem(.unsupportedMedia, "send the ids as application/json")
        }
        let ids = submission.document.ids
        guard !ids.isEmpty else {
            throw Problem(.invalidRequest, "ids: must have from 1 to \(Self.maximumImages) ids")
        }
        let archive = try await parts.documents.run { try contents(ids) }
        return Response(
            status: .ok,
            headers: [
                .contentType: "application/zip", .cacheControl: "no-store",
                .contentDisposition: ContentDisposition.attachment("images.zip"),
            ],
            body: ResponseBody { writer in
                try await archive.write { try await writer.write(ByteBuffer(bytes: $0)) }
                try await writer.finish(nil)
            })
    }

    /// Returns an archive of the images with these ids, one entry per image.
    ///
    /// An image may have left the index since the user selected it. The archive then holds the others
    /// and names the missing one.
    ///
    /// - Throws: ``Problem`` that names the field; `IndexError` if an entry is damaged.
    private func contents(_ ids: [String]) throws -> ImageArchive {
        let (index, locator) = (parts.library.gallery.index, parts.library.locator)
        guard index.content == .images else {
            throw Problem(.conflict, "ids: this is an index of texts, which has no images")
        }
        var seen: Set<EntryKey> = []
        var items: [ImageArchive.Item] = []
        var missing: [(name: String, reason: String)] = []
        for id in ids {
            guard let key = EntryKey(hexadecimal: id) else {
                throw Problem(.invalidRequest, "ids: '\(id.prefix(40))' is not the id of an image")
            }
            guard seen.insert(key).inserted else { continue }
            guard let entry = try locator.find(key, in: index).map(index.entry) else {
                missing.append((id, "is no longer in the index"))
                continue
            }
            items.append(
                .init(
                    path: entry.path, name: entry.metadata.displayName(of: entry.path),
                    modified: Date(timeIntervalSince1970: Double(entry.modified) / 1e9)))
        }
        guard !items.isEmpty else {
            throw Problem(.notFound, "ids: no image has any of these ids")
        }
        return ImageArchive(items, missing: missing, queue: parts.images)
    }
}
