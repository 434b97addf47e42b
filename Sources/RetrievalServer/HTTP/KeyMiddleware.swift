import Crypto
import Foundation
import HTTPTypes
import Hummingbird

/// Keys, compared by their digests: how long a comparison takes says nothing about a key.
private struct Keys: Sendable {
    private let digests: [SHA256Digest]

    init(_ keys: [String]) { digests = keys.map { SHA256.hash(data: Array($0.utf8)) } }

    var isEmpty: Bool { digests.isEmpty }

    func contain(_ key: some StringProtocol) -> Bool {
        let digest = SHA256.hash(data: Array(key.utf8))
        return digests.contains { $0 == digest }
    }

    /// What follows `Bearer` in `Authorization`.
    static func credentials(of request: Request) -> Substring? {
        let given = request.headers[.authorization] ?? ""
        guard given.lowercased().hasPrefix("bearer ") else { return nil }
        return given.dropFirst("bearer ".count)
    }
}

/// Requires the key for writing.
///
/// Only the `Authorization` header counts: a browser sends cookies and passwords by itself, whoever
/// asked it to.
struct KeyMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    private let keys: Keys

    init(_ key: String?) { keys = Keys(key.map { [$0] } ?? []) }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard !keys.isEmpty else {
            throw Problem(.forbidden, "the service was started without a key, so nobody may write")
        }
        guard let key = Keys.credentials(of: request), keys.contain(key) else {
            throw Problem.unauthorized("writing needs 'Authorization: Bearer KEY'")
        }
        return try await next(request, context)
    }
}

/// Requires a key for reading: in the `Authorization` header or, so that a browser can load images,
/// in a cookie.
///
/// The page sets the cookie as `SameSite=Strict`, so that no other site can use it.
struct ReadKeyMiddleware: RouterMiddleware {
    typealias Context = ServiceContext
    /// The cookie's name; its value is percent-encoded.
    private static let cookie = "albef_key"
    private let keys: Keys
    /// Paths that hold nothing of the index: the page's own files, which ask for the key, and the
    /// test of whether the service is alive.
    private let open: Set<String>

    /// - Parameters:
    ///   - readKey: opens reading alone; `key` opens it too.
    ///   - page: paths of the page's files.
    init(readKey: String, key: String?, page: [String]) {
        keys = Keys([readKey] + (key.map { [$0] } ?? []))
        open = Set(page + ["/health/live"])
    }

    func handle(_ request: Request, context: ServiceContext, next: Next) async throws -> Response {
        guard open.contains(request.uri.path) || isAllowed(request) else {
            throw Problem.unauthorized("reading needs 'Authorization: Bearer KEY'")
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
