import Storage
import ALBEF
import HTTPTypes
import Hummingbird
import ImageText
import NIOCore
import Retrieval
import SystemPackage
import Torch

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// What is answered instead of a result: a problem document (RFC 9457).
struct Problem: Error, Sendable, CustomStringConvertible {
    /// What kinds there are; the names are part of the interface.
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
            case .unauthorized: "A key is needed"
            case .forbidden: "This is not allowed here"
            case .notFound: "There is nothing here"
            case .methodNotAllowed: "This cannot be done here"
            case .bodyTimeout: "The request came too slowly"
            case .conflict: "Conflict with the state of the index"
            case .tooLarge: "Request body too large"
            case .unsupportedMedia: "The body is of a kind that is not read"
            case .expectationFailed: "What the request expects is not done here"
            case .misdirected: "Unknown host name"
            case .unsupportedImage: "The image cannot be read"
            case .emptyText: "The text says nothing"
            case .rateLimited: "Too many requests"
            case .internalError: "Something went wrong here"
            case .unavailable: "Too busy, or not ready"
            case .timedOut: "It took too long"
            case .diskFull: "The disk is full"
            }
        }
    }

    let kind: Kind
    /// One line for people.
    let detail: String
    /// Header fields that belong to it.
    var headers = HTTPFields()

    init(_ kind: Kind, _ detail: String) {
        self.kind = kind
        self.detail = detail
    }

    var description: String { "\(kind.rawValue): \(detail)" }

    /// The `Content-Type` of the document.
    static let mediaType = "application/problem+json"

    /// Whether what is left of the connection's input is worth nothing.
    private var endsConnection: Bool {
        [.tooLarge, .bodyTimeout, .expectationFailed].contains(kind)
    }

    /// A key is needed, as a bearer token: for another scheme browsers would ask by themselves.
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

    /// The document, with what the log calls the request.
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

    /// The response, with what the log calls the request.
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
    /// What an error means to a client; errors of ours keep their detail to the log.
    init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as QueryError where error.isOfOtherModel:
            self = .unavailable("the index was changed to another model just now; ask again")
        case let error as IndexError where error.isOfOtherModel:
            self = .unavailable("the index was changed to another model just now; send it again")
        case let error as QueryError where error.isInvalid:
            self.init(.invalidRequest, error.description)
        case let error as QueryError where error.isOfMissingEntry:
            self.init(.notFound, error.description)
        case let error as QueryError: self.init(.emptyText, error.description)
        case let error as ImageError: self.init(.unsupportedImage, error.description)
        case let error as ExplanationError: self.init(.conflict, error.description)
        case let error as ALBEFError: self.init(.conflict, error.description)
        case let error as IndexError where error.isLocked:
            self = .unavailable("the index is being written to by another program", retryAfter: 5)
        case let error as FileError where error.isDiskFull:
            self.init(.diskFull, "there is no room for this on the service's disk")
        case Errno.noSpace, Errno.diskQuotaExceeded:
            self.init(.diskFull, "there is no room for this on the service's disk")
        case let error as TorchError where error.isOutOfMemory || error.isDeviceFailure:
            self = .unavailable("the model has no memory or device for this now", retryAfter: 5)
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
