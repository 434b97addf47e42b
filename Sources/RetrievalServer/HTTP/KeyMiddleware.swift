import Foundation
import HTTPTypes
import Hummingbird
import Storage

/// A set of keys that are compared by their digests.
///
/// The time of a comparison therefore reveals nothing about a key.
private struct Keys: Sendable {
    private let digests: [ContentDigest]

    init(_ keys: [String]) { digests = keys.map { ContentDigest(of: $0.utf8) } }

    var isEmpty: Bool { digests.isEmpty }

    func contain(_ key: some StringProtocol) -> Bool {
        let digest = ContentDigest(of: key.utf8)
        return digests.contains { $0 == digest }
    }

    /// Returns the credentials after `Bearer` in `Authorization`.
    static func credentials(of request: Request) -> Substring? {
        let given = request.headers[.authorization] ?? ""
        guard given.lowercased().hasPrefix("bearer ") else { return nil }
        return given.dropFirst("bearer ".count)
    }
}

/// Requires the key for writing.
///
/// Only the `Authorization` header counts, because a browser also adds its cookies and passwords to
/// requests that come from pages of other sites.
struct KeyMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private let keys: Keys

    init(_ key: String?) { keys = Keys(key.map { [$0] } ?? []) }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard !keys.isEmpty else {
            throw Problem(.forbidden, "this service is read-only; it was started without a key")
        }
        guard let key = Keys.credentials(of: request), keys.contain(key) else {
            throw Problem.unauthorized("writing requires 'Authorization: Bearer KEY'")
        }
        return try await next(request, context)
    }
}

/// Requires a key for reading, in the `Authorization` header or in a cookie.
///
/// Browsers need the cookie to load images. The page sets it as `SameSite=Strict`, so that no other
/// site can use it.
struct ReadKeyMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    /// The name of the cookie, whose value is percent-encoded.
    private static let cookie = "albef_key"
    private let keys: Keys
    /// The paths that need no key, because they reveal nothing of the index.
    ///
    /// They are the files of the page, which asks for the key, and the liveness check.
    private let open: Set<String>

    /// Creates the middleware.
    ///
    /// - Parameters:
    ///   - readKey: The key that permits reading only.
    ///   - key: The key for writing, which also permits reading; nil for none.
    ///   - page: The paths of the page's files.
    init(readKey: String, key: String?, page: [String]) {
        keys = Keys([readKey] + (key.map { [$0] } ?? []))
        open = Set(page + ["/health/live"])
    }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard open.contains(request.uri.path) || isAllowed(request) else {
            throw Problem.unauthorized("reading requires 'Authorization: Bearer KEY'")
        }
        return try await next(request, context)
    }

    private func isAllowed(_ request: Request) -> Bool {
        if let key = Keys.credentials(of: request) { return keys.contain(key) }
        guard let value = request.cookies[Self.cookie]?.value.removingPercentEncoding else {
            return false
        }
        return keys.contain(value)
    }
}
