import HTTPTypes
import Hummingbird
import NIOCore

/// A request's document and the picture that came with it.
struct Submission: Sendable {
    /// The JSON; empty if there was none.
    var document: [UInt8] = []
    /// The picture's file, if one came.
    var picture: MultipartBody.Part?

    /// The document as a value; from `{}` if there was none.
    ///
    /// - Throws: ``Problem`` that names the field.
    func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
        try JSON.decode(type, document.isEmpty ? Array("{}".utf8) : document)
    }
}

extension Request {
    /// A number of the query behind the path; nil if it is not there.
    ///
    /// - Throws: ``Problem`` if it is none, or out of bounds.
    func number(_ name: Substring, in range: ClosedRange<Int>) throws -> Int? {
        guard let text = uri.queryParameters[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw Problem(
                .invalidRequest,
                "\(name): must be from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// Receives the whole body.
    ///
    /// - Throws: ``Problem`` if it is too large or comes too slowly.
    func bytes(_ limits: ServerConfiguration.Limits) async throws -> [UInt8] {
        let limit = limits.bodyBytes
        let tooLarge = Problem(.tooLarge, "a body may have \(limit) bytes")
        if let length = headers[.contentLength].flatMap(Int.init), length > limit {
            throw tooLarge
        }
        let body = body
        return try await withTimeout(
            seconds: limits.bodySeconds,
            Problem(.bodyTimeout, "the body did not arrive within \(limits.bodySeconds) s")
        ) {
            var bytes: [UInt8] = []
            for try await buffer in body {
                guard bytes.count + buffer.readableBytes <= limit else { throw tooLarge }
                bytes.append(contentsOf: buffer.readableBytesView)
            }
            return bytes
        }
    }

    /// Receives a body that is JSON, or a form with the fields `query` (JSON) and `image` (a file).
    ///
    /// - Throws: ``Problem`` if it is neither, or not as it has to be.
    func submission(_ limits: ServerConfiguration.Limits) async throws -> Submission {
        let type = headers[.contentType] ?? ""
        let kind = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        switch kind {
        case "application/json":
            return Submission(document: try await bytes(limits))
        case "multipart/form-data":
            guard let boundary = MultipartBody.boundary(of: type) else {
                throw Problem(.invalidRequest, "the form's Content-Type has no boundary")
            }
            let parts = try MultipartBody(try await bytes(limits), boundary: boundary).parts
            var submission = Submission()
            for part in parts {
                switch part.name {
                case "query" where submission.document.isEmpty: submission.document = part.bytes
                case "image" where submission.picture == nil: submission.picture = part
                default:
                    throw Problem(
                        .invalidRequest,
                        "the form's field '\(part.name.prefix(40))' is unknown or there twice;"
                            + " 'query' and 'image' are read")
                }
            }
            guard submission.picture != nil else {
                throw Problem(
                    .invalidRequest, "image: a form brings a picture; without one send JSON")
            }
            return submission
        default:
            throw Problem(
                .unsupportedMedia, "send application/json, or multipart/form-data with a picture")
        }
    }
}
