import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// Keys that open something, known by their digests, whose equal beginnings tell nothing.
private struct Keys: Sendable {
    private let digests: [SHA256Digest]

    init(_ keys: [String]) { digests = keys.map { SHA256.hash(data: Array($0.utf8)) } }

    var isEmpty: Bool { digests.isEmpty }

    func contain(_ key: some StringProtocol) -> Bool {
        let digest = SHA256.hash(data: Array(key.utf8))
        return digests.contains { $0 == digest }
    }

    /// What follows a scheme in `Authorization`.
    static func credentials(_ scheme: String, of request: Request) -> Substring? {
        let given = request.headers[.authorization] ?? ""
        guard given.lowercased().hasPrefix(scheme + " ") else { return nil }
        return given.dropFirst(scheme.count + 1)
    }
}

/// Lets those write who have the key.
///
/// It is never asked for as a password: a browser would send that by itself.
struct KeyMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private let keys: Keys

    init(_ key: String?) { keys = Keys(key.map { [$0] } ?? []) }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard !keys.isEmpty else {
            throw Problem(.forbidden, "the service was started without a key, so nobody may write")
        }
        guard let key = Keys.credentials("bearer", of: request), keys.contain(key) else {
            var problem = Problem(.unauthorized, "writing needs 'Authorization: Bearer KEY'")
            problem.headers[.wwwAuthenticate] = "Bearer"
            throw problem
        }
        return try await next(request, context)
    }
}

/// Lets those read who have a key, of whichever kind; asks browsers for it as a password.
struct ReadKeyMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    /// Tells whether the service lives, and nothing of what it has.
    private static let open = "/health/live"
    private let keys: Keys

    /// - Parameter readKey: opens reading alone; `key` opens it too.
    init(readKey: String, key: String?) { keys = Keys([readKey] + (key.map { [$0] } ?? [])) }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard request.uri.path == Self.open || isAllowed(request) else {
            var problem = Problem(
                .unauthorized,
                "reading needs 'Authorization: Bearer KEY', or the key as a password")
            problem.headers.append(
                HTTPField(name: .wwwAuthenticate, value: "Basic realm=\"albef\", charset=\"UTF-8\"")
            )
            problem.headers.append(HTTPField(name: .wwwAuthenticate, value: "Bearer"))
            throw problem
        }
        return try await next(request, context)
    }

    private func isAllowed(_ request: Request) -> Bool {
        if let key = Keys.credentials("bearer", of: request) { return keys.contain(key) }
        guard let encoded = Keys.credentials("basic", of: request),
            let bytes = Data(base64Encoded: String(encoded)),
            let pair = String(validating: bytes, as: UTF8.self),
            let colon = pair.firstIndex(of: ":")
        else { return false }
        return keys.contain(pair[pair.index(after: colon)...])
    }
}
