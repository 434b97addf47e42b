import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval
import Storage

/// A weak tag that identifies a state of a resource (RFC 9110, 8.8.3).
struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    private let value: String

    /// Creates a tag.
    ///
    /// - Parameter value: The tag without quotation marks.
    init(_ value: String) { self.value = value }

    /// The tag as the value of a header field.
    var description: String { "W/\"\(value)\"" }

    /// Returns whether an `If-None-Match` field names this state.
    ///
    /// The field is `*` or a list of weak or strong tags.
    func isNamed(by field: String) -> Bool {
        field.split(separator: ",").contains { part in
            let tag = part.withoutBlanks
            return tag == "*" || tag == "\"\(value)\"" || tag == "W/\"\(value)\""
        }
    }

    /// Returns a 304 answer if the client already has this state; nil otherwise.
    ///
    /// - Parameters:
    ///   - request: The client's request.
    ///   - caching: The `Cache-Control` that the full answer would have.
    func notModified(_ request: Request, caching: String) -> Response? {
        guard request.headers[values: .ifNoneMatch].contains(where: isNamed) else { return nil }
        return Response(
            status: .notModified, headers: [.eTag: description, .cacheControl: caching])
    }
}

/// A file that comes with the program.
struct StaticFile: Sendable {
    private static let caching = "no-cache"
    /// The content.
    let bytes: [UInt8]
    private let type: String
    private let tag: EntityTag

    /// Creates a file.
    ///
    /// - Parameters:
    ///   - bytes: The content.
    ///   - type: The `Content-Type`.
    init(_ bytes: [UInt8], type: String) {
        self.bytes = bytes
        self.type = type
        tag = EntityTag(String(ContentDigest(of: bytes).hexadecimal.prefix(32)))
    }

    /// Returns the file, or status 304 if the client already has it.
    func response(to request: Request) -> Response {
        if let known = tag.notModified(request, caching: Self.caching) { return known }
        return Response(
            status: .ok,
            headers: [
                .contentType: type, .cacheControl: Self.caching, .eTag: tag.description,
            ],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
