import HTTPTypes
import Hummingbird
import NIOCore
import Retrieval

/// A request's document and the image that came with it.
struct Submission<Document: Decodable & Sendable>: Sendable {
    /// What the JSON says; what `{}` says if there was none.
    let document: Document
    /// The image's file, if one came.
    let image: MultipartBody.Part?
    /// Held as long as the image is.
    private let share: BodyBudget.Share
}

extension Request {
    /// A number of the query behind the path; nil if it is not there.
    ///
    /// That it is not there twice was checked by ``ParameterMiddleware``.
    ///
    /// - Throws: ``Problem`` if it is not a number, or out of bounds.
    func number(_ name: Substring, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = uri.queryParameters[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw Problem(
                .invalidRequest,
                "\(name): must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// Conditions of the query behind the path, one per parameter of the name.
    ///
    /// - Throws: ``Problem`` that names what is no condition.
    func filters(_ name: Substring) throws -> [MetadataFilter] {
        let texts = uri.queryParameters.getAll(String(name))
        guard texts.count <= MetadataFilter.most else {
            throw Problem(.invalidRequest, "\(name): at most \(MetadataFilter.most) conditions")
        }
        return try texts.map { try MetadataFilter(asked: $0, field: "\(name)") }
    }

    /// The order that the query behind the path asks for.
    ///
    /// - Throws: ``Problem`` if it is unknown.
    func order(_ name: Substring) throws -> EntryOrder {
        guard let text = uri.queryParameters[name] else { return .path }
        guard let order = EntryOrder(rawValue: String(text)) else {
            let names = EntryOrder.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(
                .invalidRequest, "\(name): must be one of \(names), not '\(text.prefix(60))'")
        }
        return order
    }

    /// How many bodies of the largest size may be held at a time.
    private static let bodiesAtOnce = 16

    /// Receives the whole body.
    ///
    /// - Throws: ``Problem`` if it is too large or comes too slowly, or too many come at once.
    private func bytes(
        _ limits: ServerConfiguration.Limits, atMost limit: Int, _ share: BodyBudget.Share
    ) async throws -> [UInt8] {
        let tooLarge = Problem(.tooLarge, "a body of this kind may have \(limit) bytes")
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
    /// The body is taken apart on a thread for documents: Swift's own threads stay free for others.
    ///
    /// - Throws: ``Problem`` if it is neither, too large, or not as it has to be.
    func submission<Document: Decodable & Sendable>(
        _ type: Document.Type, _ parts: ServiceParts
    ) async throws -> Submission<Document> {
        let limits = parts.configuration.limits
        if let coding = headers[.contentEncoding], coding.lowercased() != "identity" {
            var problem = Problem(
                .unsupportedMedia, "Content-Encoding: send the body as it is, not '\(coding)'")
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
                throw Problem(.invalidRequest, "the form's Content-Type has no boundary")
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
                    "the form's field '\(part.name.prefix(40))' is unknown or there twice;"
                        + " 'query' and 'image' are read")
            }
        }
        guard let image else {
            throw Problem(.invalidRequest, "image: a form brings an image; without one send JSON")
        }
        guard (query?.bytes.count ?? 0) <= limits.documentBytes else {
            throw Problem(.tooLarge, "query: it may have \(limits.documentBytes) bytes")
        }
        document = try JSON.decode(Document.self, query?.bytes ?? [], limits)
        self.image = image
        self.share = share
    }
}
