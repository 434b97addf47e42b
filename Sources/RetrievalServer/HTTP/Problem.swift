import ALBEF
import HTTPTypes
import Hummingbird
import ImageText
import NIOCore
import Retrieval
import Storage
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An error that the service answers with a problem document (RFC 9457).
struct Problem: Error, Sendable, CustomStringConvertible {
    /// The kind of a problem; raw values are part of the HTTP interface.
    enum Kind: String, Sendable, CaseIterable {
        case invalidRequest = "invalid-request"
        case unauthorized
        case forbidden
        case notFound = "not-found"
        case methodNotAllowed = "method-not-allowed"
        case bodyTimeout = "body-timeout"
        case conflict
        case tooLarge = "too-large"
        case unsupportedMedia = "unsupported-media"
        case expectationFailed = "expectation-failed"
        case misdirected
        case unsupportedImage = "unsupported-picture"
        case emptyText = "empty-text"
        case rateLimited = "rate-limited"
        case internalError = "internal-error"
        case unavailable
        case timedOut = "timed-out"
        case diskFull = "disk-full"

        var status: HTTPResponse.Status {
            switch self {
            case .invalidRequest: .badRequest
            case .unauthorized: .unauthorized
            case .forbidden: .forbidden
            case .notFound: .notFound
            case .methodNotAllowed: .methodNotAllowed
            case .bodyTimeout: .requestTimeout
            case .conflict: .conflict
            case .tooLarge: .contentTooLarge
            case .unsupportedMedia: .unsupportedMediaType
            case .expectationFailed: .expectationFailed
            case .misdirected: .misdirectedRequest
            case .unsupportedImage, .emptyText: .unprocessableContent
            case .rateLimited: .tooManyRequests
            case .internalError: .internalServerError
            case .unavailable: .serviceUnavailable
            case .timedOut: .gatewayTimeout
            case .diskFull: .init(code: 507, reasonPhrase: "Insufficient Storage")
            }
        }

        var title: String {
            switch self {
            case .invalidRequest: "Invalid request"
            case .unauthorized: "Key required"
            case .forbidden: "Not allowed"
            case .notFound: "Not found"
            case .methodNotAllowed: "Method not allowed"
            case .bodyTimeout: "Request too slow"
            case .conflict: "Conflict with the state of the index"
            case .tooLarge: "Request body too large"
            case .unsupportedMedia: "Unsupported content type"
            case .expectationFailed: "Unsupported expectation"
            case .misdirected: "Unknown host name"
            case .unsupportedImage: "Unreadable image"
            case .emptyText: "Empty text"
            case .rateLimited: "Too many requests"
            case .internalError: "Internal error"
            case .unavailable: "Too busy or not ready"
            case .timedOut: "Request timed out"
            case .diskFull: "Disk full"
            }
        }
    }

    let kind: Kind
    /// The explanation for people, in one line.
    let detail: String
    /// The header fields to add to the response.
    var headers = HTTPFields()

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    var description: String { "\(kind.rawValue): \(detail)" }

    /// The `Content-Type` of the document.
    static let mediaType = "application/problem+json"

    /// Whether the connection must end, because the rest of its input cannot be used.
    private var endsConnection: Bool {
        [.tooLarge, .bodyTimeout, .expectationFailed].contains(kind)
    }

    /// Returns a problem that asks for a key as a bearer token.
    ///
    /// For other schemes, browsers would show a password dialog of their own.
    static func unauthorized(_ detail: String) -> Problem {
        var problem = Problem(.unauthorized, detail)
        problem.headers[.wwwAuthenticate] = "Bearer"
        return problem
    }

    static func unavailable(_ detail: String, retryAfter seconds: Int = 1) -> Problem {
        var problem = Problem(.unavailable, detail)
        problem.headers[.retryAfter] = String(seconds)
        return problem
    }

    /// Returns the document.
    ///
    /// - Parameter instance: The id of the request in the log.
    func document(instance: String) -> [UInt8] {
        struct Document: Encodable {
            let type, title: String
            let status: Int
            let detail, instance: String
        }
        return JSON.bytes(
            Document(
                type: "urn:albef:problem:\(kind.rawValue)", title: kind.title,
                status: kind.status.code, detail: detail, instance: instance))
    }

    /// Returns the response.
    ///
    /// - Parameter instance: The id of the request in the log.
    func response(instance: String) -> Response {
        var headers = headers
        headers[.contentType] = Self.mediaType
        if endsConnection { headers[.connection] = "close" }
        return Response(
            status: kind.status, headers: headers,
            body: .init(byteBuffer: ByteBuffer(bytes: document(instance: instance))))
    }
}

extension Problem {
    /// Converts an error for the client; the details of internal errors go only to the log.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as QueryError where error.isOfOtherModel:
            self = .unavailable("the index was just changed to another model; try again")
        case let error as IndexError where error.isOfOtherModel:
            self = .unavailable("the index was just changed to another model; try again")
        case let error as QueryError where error.isInvalid:
            self.init(.invalidRequest, error.description)
        case let error as QueryError where error.isOfMissingEntry:
            self.init(.notFound, error.description)
        case let error as QueryError: self.init(.emptyText, error.description)
        case let error as ImageError: self.init(.unsupportedImage, error.description)
        case let error as RecallError where error.isOfCount:
            self.init(.invalidRequest, error.description)
        case is RecallError:
            self = .unavailable(
                "the store of features cannot answer now; see the server log", retryAfter: 5)
        case let error as ExplanationError: self.init(.conflict, error.description)
        case let error as ALBEFError: self.init(.conflict, error.description)
        case let error as IndexError where error.isLocked:
            self = .unavailable("another program is writing to the index", retryAfter: 5)
        case let error as FileError where error.isDiskFull:
            self.init(.diskFull, "the service's disk has no room for this")
        case Errno.noSpace, Errno.diskQuotaExceeded:
            self.init(.diskFull, "the service's disk has no room for this")
        case let error as TorchError where error.isOutOfMemory || error.isDeviceFailure:
            self = .unavailable("the model has no memory or no device for this now", retryAfter: 5)
        case let error as HTTPError:
            self.init(Self.kind(error.status), error.body ?? error.status.reasonPhrase)
            headers = error.headers
        case is CancellationError: self = .unavailable("the request was cancelled")
        default: self.init(.internalError, "see the server log for this instance id")
        }
    }

    private static func kind(_ status: HTTPResponse.Status) -> Kind {
        Kind.allCases.first { $0.status.code == status.code } ?? .invalidRequest
    }
}
