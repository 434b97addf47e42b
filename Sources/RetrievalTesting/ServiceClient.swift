import Foundation

/// A client that can be as rude as it likes: bytes over a socket.
package struct RawClient: Sendable {
    package let port: UInt16

    package init(port: UInt16) { self.port = port }

    /// An answer.
    package struct Answer: Sendable {
        package var status = 0
        package var headers: [String: String] = [:]
        package var body: [UInt8] = []

        /// The body as an object of JSON.
        package var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
        }

        /// The last part of a problem document's type.
        package var problem: String? {
            guard headers["content-type"] == "application/problem+json" else { return nil }
            return (json["type"] as? String)?.split(separator: ":").last.map(String.init)
        }

        package var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// Asks for something.
    package func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
    ) async throws -> Answer {
        var head = "\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\n"
        if !body.isEmpty || method != "GET" { head += "content-length: \(body.count)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        return try await exchange([Array((head + "connection: close\r\n\r\n").utf8) + body])
    }

    /// Sends a document.
    package func post(
        _ path: String, _ value: Any, headers: [String: String] = [:]
    ) async throws -> Answer {
        let body = [UInt8](try JSONSerialization.data(withJSONObject: value))
        var headers = headers
        headers["content-type"] = "application/json"
        return try await send("POST", path, headers: headers, body: body)
    }

    /// Sends a form with an image.
    package func form(
        _ method: String = "POST", _ path: String, query: Any? = nil, image: [UInt8]?,
        fileName: String = "image.bmp", headers: [String: String] = [:]
    ) async throws -> Answer {
        var body: [UInt8] = []
        if let query {
            body += Array(
                "--edge\r\ncontent-disposition: form-data; name=\"query\"\r\n\r\n".utf8)
            body += [UInt8](try JSONSerialization.data(withJSONObject: query)) + [0x0D, 0x0A]
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

    /// Sends pieces, and reads one answer.
    package func exchange(_ pieces: [[UInt8]]) async throws -> Answer {
        try await converse { connection in
            for piece in pieces { connection.send(piece) }
            return try connection.answer()
        }
    }

    /// Talks over a connection of its own, which is closed at the end.
    package func converse<Value: Sendable>(
        _ body: @escaping @Sendable (RawConnection) throws -> Value
    ) async throws -> Value {
        // On a thread of its own: waiting for a socket on one of Swift's would keep the service,
        // which runs in this process, from answering.
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(with: Result { try body(try RawConnection(port: port)) })
            }
        }
    }
}
