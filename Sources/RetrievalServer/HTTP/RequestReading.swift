import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval

/// The JSON document of a request, and the image that came with it.
struct Submission<Document: Decodable & Sendable>: Sendable {
    /// The decoded JSON; the decoding of `{}` if the form has no `query`.
    let document: Document
    /// The image file; nil if the request has none.
    let image: MultipartBody.Part?
    /// The share of the budget, which lives as long as the image.
    private let share: BodyBudget.Share
}

extension Request {
    /// Returns a number from the query parameters; nil if it is absent.
    ///
    /// ``ParameterMiddleware`` has checked that it does not occur twice.
    ///
    /// - Throws: ``Problem`` if it is not a whole number in `range`.
    func number(_ name: Substring, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = uri.queryParameters[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw Problem(
                .invalidRequest,
                "\(name): must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// Returns the conditions in the query parameters of a name, one per parameter.
    ///
    /// - Throws: ``Problem`` that names an invalid condition.
    func filters(_ name: Substring) throws -> [MetadataFilter] {
        let texts = uri.queryParameters.getAll(String(name))
        guard texts.count <= MetadataFilter.most else {
            throw Problem(
                .invalidRequest, "\(name): must have at most \(MetadataFilter.most) items")
        }
        return try texts.map { try MetadataFilter(asked: $0, field: "\(name)") }
    }

    /// Returns the order in the query parameters; the order of paths if it is absent.
    ///
    /// - Throws: ``Problem`` if the order is unknown.
    func order(_ name: Substring) throws -> EntryOrder {
        guard let text = uri.queryParameters[name] else { return .path }
        guard let order = EntryOrder(rawValue: String(text)) else {
            let names = EntryOrder.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(
                .invalidRequest, "\(name): must be one of \(names), not '\(text.prefix(60))'")
        }
        return order
    }

    /// The number of bodies of the largest size that fit into the budget.
    private static let bodiesAtOnce = 16

    /// Receives the whole body.
    ///
    /// - Throws: ``Problem`` if the body is too large or arrives too slowly, or if too many large
    ///   bodies arrive at once.
    private func bytes(
        _ limits: ServerConfiguration.Limits, atMost limit: Int, _ share: BodyBudget.Share
    ) async throws -> [UInt8] {
        let tooLarge = Problem(.tooLarge, "the body must have at most \(limit) bytes")
        if let length = headers[.contentLength].flatMap(Int.init), length > limit {
            throw tooLarge
        }
        let body = body
        return try await withTimeout(
            seconds: limits.bodySeconds,
            Problem(.bodyTimeout, "the body did not arrive within \(limits.bodySeconds) s")
        ) {
            try await untilServiceEnds {
                var bytes: [UInt8] = []
                for try await buffer in body {
                    guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge }
                    try share.grow(
                        by: buffer.readableBytes, limit: Self.bodiesAtOnce * limits.bodyBytes)
                    bytes.append(contentsOf: buffer.readableBytesView)
                }
                return bytes
            }
        }
    }

    /// Receives a body that is JSON, or a form with the fields `query` (JSON) and `image` (a file).
    ///
    /// It parses the body on the queue for documents, so that Swift's threads can answer others.
    ///
    /// - Throws: ``Problem`` if the body has another type, is too large, or is invalid.
    func submission<Document: Decodable & Sendable>(
        _ type: Document.Type, _ parts: ServiceParts
    ) async throws -> Submission<Document> {
        let limits = parts.configuration.limits
        if let coding = headers[.contentEncoding], coding.lowercased() != "identity" {
            var problem = Problem(
                .unsupportedMedia,
                "Content-Encoding: '\(coding)' is not supported; send the body as it is")
            problem.headers[.acceptEncoding] = "identity"
            throw problem
        }
        let share = parts.bodies.share()
        let type = headers[.contentType] ?? ""
        let kind = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        switch kind {
        case "application/json":
            let most = min(limits.documentBytes, limits.bodyBytes)
            let bytes = try await bytes(limits, atMost: most, share)
            return try await parts.documents.run { try Submission(bytes, limits, share) }
        case "multipart/form-data":
            guard let boundary = MultipartBody.boundary(of: type) else {
                throw Problem(.invalidRequest, "the form's Content-Type has no valid boundary")
            }
            let bytes = try await bytes(limits, atMost: limits.bodyBytes, share)
            return try await parts.documents.run {
                try Submission(MultipartBody(bytes, boundary: boundary), limits, share)
            }
        default:
            throw Problem(
                .unsupportedMedia, "send application/json, or multipart/form-data with an image")
        }
    }
}

extension Submission {
    fileprivate init(
        _ json: [UInt8], _ limits: ServerConfiguration.Limits, _ share: BodyBudget.Share
    ) throws {
        document = try JSON.decode(Document.self, json, limits)
        image = nil
        self.share = share
    }

    fileprivate init(
        _ form: MultipartBody, _ limits: ServerConfiguration.Limits, _ share: BodyBudget.Share
    ) throws {
        var query: MultipartBody.Part?
        var image: MultipartBody.Part?
        for part in form.parts {
            switch part.name {
            case "query" where query == nil: query = part
            case "image" where image == nil: image = part
            default:
                throw Problem(
                    .invalidRequest,
                    "the form's field '\(part.name.prefix(40))' is unknown or occurs twice;"
                        + " send 'query' and 'image', once each")
            }
        }
        guard let image else {
            throw Problem(.invalidRequest, "image: the form has no image; send JSON instead")
        }
        guard (query?.bytes.count ?? 0) <= limits.documentBytes else {
            throw Problem(.tooLarge, "query: must have at most \(limits.documentBytes) bytes")
        }
        document = try JSON.decode(Document.self, query?.bytes ?? [], limits)
        self.image = image
        self.share = share
    }
}
