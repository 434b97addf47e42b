import Foundation

/// A client of a search service on this machine, with a connection per request.
///
/// ``withTinyService(images:model:recall:logger:isolation:configure:_:)`` makes one. It checks
/// nothing that it sends, so a test can send what is wrong. Its methods wait five minutes for the
/// service, which only ends a hang, and may be called at the same time.
public struct ServiceClient: Sendable {
    /// The port that the service listens on, at 127.0.0.1.
    public let port: UInt16

    package init(port: UInt16) { self.port = port }

    /// Where the service is, such as `http://127.0.0.1:4321`, for code with a client of its own.
    public var address: String { "http://127.0.0.1:\(port)" }

    /// Sends a request.
    ///
    ///     let page = try await service.client.send("GET", "/api/images?limit=5")
    ///
    /// - Parameters:
    ///   - method: such as `GET`.
    ///   - path: begins with a slash; with the query, percent-encoded.
    ///   - headers: fields besides `host`, `connection` and `content-length`; default none.
    ///   - body: default empty.
    /// - Throws: ``RetrievalTestingError`` if there is no connection, or no complete answer.
    public func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
    ) async throws -> ServiceResponse {
        var head = "\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\n"
        if !body.isEmpty || method != "GET" { head += "content-length: \(body.count)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        return try await exchange([Array((head + "connection: close\r\n\r\n").utf8) + body])
    }

    /// Posts a document.
    ///
    ///     let answer = try await service.client.post("/api/search", ["text": "a dog", "count": 3])
    ///
    /// - Parameters:
    ///   - path: begins with a slash.
    ///   - document: a dictionary or an array of what JSON can hold.
    ///   - headers: fields besides those of ``send(_:_:headers:body:)`` and `content-type`.
    /// - Throws: ``RetrievalTestingError`` if the document is not JSON, and as
    ///   ``send(_:_:headers:body:)``.
    public func post(
        _ path: String, _ document: Any, headers: [String: String] = [:]
    ) async throws -> ServiceResponse {
        let body = try Self.bytes(document, "POST", path)
        var headers = headers
        headers["content-type"] = "application/json"
        return try await send("POST", path, headers: headers, body: body)
    }

    /// Sends a form with a query, an image, or both.
    ///
    ///     let added = try await service.client.sendForm(
    ///         "POST", "/api/images", query: ["metadata": ["year": 2024]],
    ///         image: TinyImages.bitmap(40), headers: TinyService.authorization)
    ///
    /// - Parameters:
    ///   - method: `POST` or `PUT`.
    ///   - path: begins with a slash.
    ///   - query: the form's `query`, a dictionary of what JSON can hold; nil leaves it out.
    ///   - image: the bytes of the form's `image`; nil leaves it out.
    ///   - fileName: what the form calls the image's file; default `image.bmp`.
    ///   - headers: fields besides those of ``send(_:_:headers:body:)`` and `content-type`.
    /// - Throws: ``RetrievalTestingError`` if the query is not JSON, and as
    ///   ``send(_:_:headers:body:)``.
    public func sendForm(
        _ method: String, _ path: String, query: Any? = nil, image: [UInt8]?,
        fileName: String = "image.bmp", headers: [String: String] = [:]
    ) async throws -> ServiceResponse {
        var body: [UInt8] = []
        if let query {
            body += Array(
                "--edge\r\ncontent-disposition: form-data; name=\"query\"\r\n\r\n".utf8)
            body += try Self.bytes(query, method, path) + [0x0D, 0x0A]
        }
        if let image {
            let disposition = "form-data; name=\"image\"; filename=\"\(fileName)\""
            body += Array(
                "--edge\r\ncontent-disposition: \(disposition)\r\n\r\n".utf8)
            body += image + [0x0D, 0x0A]
        }
        body += Array("--edge--\r\n".utf8)
        var headers = headers
        headers["content-type"] = "multipart/form-data; boundary=edge"
        return try await send(method, path, headers: headers, body: body)
    }

    private static func bytes(_ document: Any, _ method: String, _ path: String) throws -> [UInt8] {
        // Foundation ends the process on some systems where it is asked to write anything else.
        guard JSONSerialization.isValidJSONObject(document) else {
            throw RetrievalTestingError.document(method, path)
        }
        return [UInt8](try JSONSerialization.data(withJSONObject: document))
    }

    /// Sends pieces, and reads one answer.
    package func exchange(_ pieces: [[UInt8]]) async throws -> ServiceResponse {
        try await converse { connection in
            for piece in pieces { connection.send(piece) }
            return try connection.answer()
        }
    }

    /// Talks over a connection of its own, which is closed at the end.
    package func converse<Value: Sendable>(
        _ body: @escaping @Sendable (ServiceConnection) throws -> Value
    ) async throws -> Value {
        // On a thread of its own: waiting for a socket on one of Swift's would keep the service,
        // which runs in this process, from answering.
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try body(try ServiceConnection(port: port)) })
            }
        }
    }
}
