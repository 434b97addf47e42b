import Storage
import Crypto
import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval

/// What tells one state of a resource from another (RFC 9110, 8.8.3); a weak one.
struct EntityTag: Sendable, Hashable, CustomStringConvertible {
    private let value: String

    /// - Parameter value: has no quotes.
    init(_ value: String) { self.value = value }

    /// As header fields have it.
    var description: String { "W/\"\(value)\"" }

    /// Whether an `If-None-Match` names this state: `*`, or a list of tags, weak or not.
    func isNamed(by field: String) -> Bool {
        field.split(separator: ",").contains { part in
            let tag = part.withoutBlanks
            return tag == "*" || tag == "\"\(value)\"" || tag == "W/\"\(value)\""
        }
    }

    /// The answer to a client that has this state already; nil for others.
    ///
    /// - Parameter caching: the `Cache-Control` that the whole answer would have.
    func notModified(_ request: Request, caching: String) -> Response? {
        guard request.headers[values: .ifNoneMatch].contains(where: isNamed) else { return nil }
        return Response(
            status: .notModified, headers: [.eTag: description, .cacheControl: caching])
    }
}

/// A file that changes with the program alone.
struct StaticFile: Sendable {
    private static let caching = "no-cache"
    private let bytes: [UInt8]
    private let type: String
    private let tag: EntityTag

    /// - Parameter type: its `Content-Type`.
    init(_ bytes: [UInt8], type: String) {
        self.bytes = bytes
        self.type = type
        tag = EntityTag(String(SHA256.hash(data: bytes).hexadecimal.prefix(32)))
    }

    /// The file, or word that the client has it.
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
