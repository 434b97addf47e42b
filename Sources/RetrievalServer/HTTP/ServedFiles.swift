import Foundation
import Retrieval
import Storage
import SystemPackage

/// The files that the service serves as they are: its page, and the description of its interface.
///
/// They lie beside the program. In the program, as numbers in Swift, they would take the compiler more
/// than a minute.
struct ServedFiles: Sendable {
    /// The files of the page by their paths, such as `/page.css`; `/` is the page itself.
    let page: [(path: String, file: StaticFile)]
    /// The OpenAPI document of the interface, in JSON.
    let description: StaticFile
    /// The paths of the document, and those of the files.
    let paths: KnownPaths

    /// The `Content-Type` of each kind of file.
    private static let types = [
        "html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml",
        "json": "application/json; charset=utf-8",
    ]

    /// Reads the files.
    ///
    /// - Throws: ``ServerError`` if the program was copied without them, or one is damaged.
    init() throws(ServerError) {
        guard
            let folder = ProgramResources.path("Page", of: "RetrievalServer"),
            let names = try? FileSystem.names(in: folder),
            let document = ProgramResources.path("openapi.json", of: "RetrievalServer"),
            let description = try Self.file(at: document)
        else { throw .missingFiles() }
        self.description = description
        var page: [(path: String, file: StaticFile)] = []
        for name in names.sorted() {
            guard let file = try Self.file(at: folder.appending(name)) else { continue }
            page.append((name == "index.html" ? "/" : "/\(name)", file))
        }
        self.page = page
        do {
            paths = try KnownPaths(
                description: description.bytes, pages: page.map(\.path) + ["/openapi.json"])
        } catch {
            throw .damagedFile(document.string, DecodingError.reason(of: error))
        }
    }

    /// Returns a file of a known kind; nil for others, such as an editor's copies.
    ///
    /// - Throws: ``ServerError`` if the file cannot be read.
    private static func file(at path: FilePath) throws(ServerError) -> StaticFile? {
        guard let type = path.extension.flatMap({ types[$0] }), path.stem?.first != "." else {
            return nil
        }
        guard let bytes = try? Data(contentsOf: URL(filePath: path.string)) else {
            throw .missingFiles()
        }
        return StaticFile([UInt8](bytes), type: type)
    }
}
