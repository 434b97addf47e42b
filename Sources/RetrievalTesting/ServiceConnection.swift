import Foundation
import Synchronization

/// One connection of a client.
///
/// Its methods wait for at most five minutes, which only ends a hang.
package final class ServiceConnection: Sendable {
    private let port: UInt16
    private let socket: Int32
    /// The bytes that were received and not yet read.
    private let received = Mutex<[UInt8]>([])

    package init(port: UInt16) throws {
        self.port = port
        #if canImport(Darwin)
            socket = Foundation.socket(AF_INET, SOCK_STREAM, 0)
            // There it is the socket, not the call, that asks for no signal.
            var isSilent: Int32 = 1
            setsockopt(
                socket, SOL_SOCKET, SO_NOSIGPIPE, &isSilent,
                socklen_t(MemoryLayout<Int32>.size))
        #else
            socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var wait = timeval(tv_sec: 300, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &wait, size)
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &wait, size)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Foundation.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw RetrievalTestingError.refused(port: port) }
    }

    deinit { close(socket) }

    /// Sends bytes; the service may answer and close before it has read them all.
    package func send(_ piece: [UInt8]) {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        var rest = piece[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Foundation.send(socket, $0.baseAddress, $0.count, flags)
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    package func send(_ text: String) { send(Array(text.utf8)) }

    /// Closes the sending side.
    package func finish() { shutdown(socket, Int32(SHUT_WR)) }

    /// Reads the next answer.
    package func answer() throws -> ServiceResponse {
        while true {
            if let answer = received.withLock({ Self.take(from: &$0) }) { return answer }
            guard receive() else { throw RetrievalTestingError.closed(port: port) }
        }
    }

    /// Returns whether the service closes the connection without sending anything more.
    package func isAtEnd() -> Bool {
        guard received.withLock({ $0.isEmpty }) else { return false }
        var buffer: UInt8 = 0
        let count = recv(socket, &buffer, 1, 0)
        return count == 0 || (count < 0 && errno == ECONNRESET)
    }

    private func receive() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = recv(socket, &buffer, buffer.count, 0)
        guard count > 0 else { return false }
        received.withLock { $0 += buffer[..<count] }
        return true
    }

    /// Returns the first answer once it is complete.
    private static func take(from bytes: inout [UInt8]) -> ServiceResponse? {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            .components(separatedBy: "\r\n")
        let status = lines[0].split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let pair = line.split(separator: ":", maxSplits: 1)
            guard pair.count == 2 else { continue }
            let (name, value) = (
                pair[0].lowercased(), pair[1].trimmingCharacters(in: .whitespaces)
            )
            headers[name] = headers[name].map { "\($0), \(value)" } ?? value
        }
        if headers["transfer-encoding"] == "chunked" {
            guard let (body, end) = chunks(bytes[end.upperBound...]) else { return nil }
            bytes.removeFirst(end)
            return ServiceResponse(status: status, headers: headers, body: body)
        }
        let length = headers["content-length"].flatMap { Int($0) } ?? 0
        guard bytes.count - end.upperBound >= length else { return nil }
        let body = Array(bytes[end.upperBound...].prefix(length))
        bytes.removeFirst(end.upperBound + length)
        return ServiceResponse(status: status, headers: headers, body: body)
    }

    /// Returns a chunked body and its end; nil until it is complete.
    private static func chunks(_ bytes: ArraySlice<UInt8>) -> (body: [UInt8], end: Int)? {
        var (rest, body) = (bytes, [UInt8]())
        let line = Array("\r\n".utf8)
        while let end = rest.firstRange(of: line) {
            let count = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16)
            guard let count, rest.endIndex - end.upperBound >= count + 2 else { return nil }
            body += rest[end.upperBound...].prefix(count)
            rest = rest[(end.upperBound + count + 2)...]
            if count == 0 { return (body, rest.startIndex) }
        }
        return nil
    }
}
