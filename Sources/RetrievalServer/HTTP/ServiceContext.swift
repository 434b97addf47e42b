import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// What belongs to one request while it is answered.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The connection.
    let channel: any Channel
    /// What the log and problem documents call the request.
    ///
    /// Not Hummingbird's own, which it looks up in the logger: not every logger keeps it.
    let requestID = RequestID().description

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        client = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    /// Who asks, for the log and for limits: the address without the port.
    var client: String

    /// The id of an image in the path, as a key; letters may be percent-encoded.
    var imageID: String {
        let id = parameters.get("id") ?? ""
        return id.removingPercentEncoding ?? id
    }
}

typealias Next = (Request, ServiceContext) async throws -> Response

extension HTTPField.Name {
    static let requestID = HTTPField.Name.known("x-request-id")
    static let contentSecurityPolicy = HTTPField.Name.known("content-security-policy")
    static let referrerPolicy = HTTPField.Name.known("referrer-policy")
    static let resourcePolicy = HTTPField.Name.known("cross-origin-resource-policy")

    static let fetchSite = HTTPField.Name.known("sec-fetch-site")
    static let fetchMode = HTTPField.Name.known("sec-fetch-mode")

    /// A field that is named here and nowhere else.
    static func known(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else {
            preconditionFailure("'\(name)' is not a name of a header field")
        }
        return field
    }
}
