import Foundation
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The context of a request.
struct ServiceContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The channel of the connection.
    let channel: any Channel
    /// The id of the request in the log and in problem documents.
    ///
    /// Hummingbird reads its own id from the logger, and not every logger keeps it.
    let requestID = RequestID().description

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        client = source.channel.remoteAddress?.ipAddress ?? "local"
    }

    /// The address of the client without the port, for the log and the limits.
    var client: String

    /// The id of the image in the path, percent-decoded.
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

    /// Returns the field of a name that is a literal in this program.
    static func known(_ name: String) -> HTTPField.Name {
        guard let field = HTTPField.Name(name) else {
            preconditionFailure("'\(name)' is not a valid header field name")
        }
        return field
    }
}
