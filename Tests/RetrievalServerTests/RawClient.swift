import Foundation
import Testing

/// A client that can be as rude as it likes: bytes over a socket.
struct RawClient: Sendable {
    let port: UInt16

    /// An answer.
    struct Answer: Sendable {
        var status = 0
        var headers: [String: String] = [:]
        var body: [UInt8] = []

        /// The body as an object of JSON.
        var json: [String: Any] {
            (try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any]) ?? [:]
        }

        /// The last part of a problem document's type.
        var problem: String? {
            guard headers["content-type"] == "application/problem+json" else { return nil }
            return (json["type"] as? String)?.split(separator: ":").last.map(String.init)
        }

        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// A connection that failed or was closed before an answer was there.
    struct Closed: Error {}

    /// Asks for something.
    func send(
        _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
    ) async throws -> Answer {
        var head = "\(method) \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\n"
        if !body.isEmpty || method != "GET" { head += "content-length: \(body.count)\r\n" }
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        return try await exchange([Array((head + "connection: close\r\n\r\n").utf8) + body])
    }

    /// Sends a document.
    func post(
        _ path: String, _ value: Any, headers: [String: String] = [:]
    ) async throws -> Answer {
        let body = [UInt8](try JSONSerialization.data(withJSONObject: value))
        var headers = headers
        headers["content-type"] = "application/json"
        return try await send("POST", path, headers: headers, body: body)
    }

    /// Sends a form with a picture.
    func form(
        _ method: String = "POST", _ path: String, query: Any? = nil, image: [UInt8]?,
        fileName: String = "picture.bmp", headers: [String: String] = [:]
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

    /// Sends pieces with pauses between them, and reads one answer.
    func exchange(
        _ pieces: [[UInt8]], pause: Duration = .zero, patience: Double = 30
    ) async throws -> Answer {
        // On a thread of Dispatch's: waiting for a socket on one of Swift's would keep the service,
        // which runs in this process, from answering.
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result { try talk(pieces, pause: pause, patience: patience) })
            }
        }
    }

    private func talk(_ pieces: [[UInt8]], pause: Duration, patience: Double) throws -> Answer {
        let socket = try connect(patience: patience)
        defer { close(socket) }
        for (index, piece) in pieces.enumerated() {
            if index > 0 { usleep(UInt32(pause / .microseconds(1))) }
            var rest = piece[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes {
                    Foundation.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                // The service may have answered and closed before it heard all.
                guard count > 0 else { break }
                rest = rest.dropFirst(count)
            }
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let answer = Self.parse(bytes) { return answer }
            let count = recv(socket, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        guard let answer = Self.parse(bytes) else { throw Closed() }
        return answer
    }

    private func connect(patience: Double) throws -> Int32 {
        let socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var wait = timeval(
            tv_sec: Int(patience), tv_usec: Int(patience * 1e6) % 1_000_000)
        setsockopt(
            socket, SOL_SOCKET, SO_RCVTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(
            socket, SOL_SOCKET, SO_SNDTIMEO, &wait, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else {
            close(socket)
            throw Closed()
        }
        return socket
    }

    /// The answer, once it is whole.
    private static func parse(_ bytes: [UInt8]) -> Answer? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        var answer = Answer()
        answer.status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            guard pair.count == 2 else { continue }
            answer.headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
        }
        let body = Array(bytes[end.upperBound...])
        let length = answer.headers["content-length"].flatMap { Int($0) } ?? 0
        guard body.count >= length else { return nil }
        answer.body = Array(body.prefix(length))
        return answer
    }
}
