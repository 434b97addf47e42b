package import Foundation
import Synchronization

/// A web server on 127.0.0.1 that can misbehave as real ones do.
///
/// Each connection serves one request on its own thread.
package final class FileServer: Sendable {
    /// How to answer one request.
    package struct Behaviour: Sendable {
        package var status: Int
        package var content: Data
        package var entityTag: String?
        package var lastModified: String?
        package var honoursRange: Bool
        /// Close the connection after this many bytes of the body.
        package var cut: Int?
        /// Announce this length instead of the body's.
        package var announcedLength: Int?
        /// Announce no length.
        package var hidesLength: Bool
        /// Send nothing behind this byte of the content until the gate is open, not even to a client
        /// that lost its patience and asks again.
        package var hold: (count: Int, until: Gate)?
        /// Answer a range request with a `Content-Range` that starts elsewhere.
        package var rangeShift: Int

        /// Sends `content`, with a status and an optional entity tag.
        package init(
            status: Int = 200, content: Data = Data(), entityTag: String? = "\"v1\"",
            lastModified: String? = nil, honoursRange: Bool = true, cut: Int? = nil,
            announcedLength: Int? = nil, hidesLength: Bool = false,
            hold: (count: Int, until: Gate)? = nil, rangeShift: Int = 0
        ) {
            self.status = status
            self.content = content
            self.entityTag = entityTag
            self.lastModified = lastModified
            self.honoursRange = honoursRange
            self.cut = cut
            self.announcedLength = announcedLength
            self.hidesLength = hidesLength
            self.hold = hold
            self.rangeShift = rangeShift
        }
    }

    /// A request as it came in: its header fields, lower-cased, and under `:path` its path behind
    /// `/files/`.
    package typealias Request = [String: String]

    private struct State {
        var requests: [Request] = []
        var isStopped = false
    }

    package let address: URL
    private let listener: Int32
    private let state = Mutex(State())
    private let behaviour: @Sendable (_ attempt: Int, _ path: String) -> Behaviour

    /// Starts to listen on a free port, and serves one file.
    ///
    /// - Parameter behaviour: How to answer request number 0, 1, …
    package convenience init(
        path: String = "model.pth", _ behaviour: @escaping @Sendable (Int) -> Behaviour
    ) throws {
        try self.init(path: path) { attempt, _ in behaviour(attempt) }
    }

    /// Starts to listen on a free port.
    ///
    /// - Parameter behaviour: How to answer request number 0, 1, … for a path.
    package init(
        path: String = "", _ behaviour: @escaping @Sendable (Int, String) -> Behaviour
    ) throws {
        #if canImport(Darwin)
            listener = socket(AF_INET, SOCK_STREAM, 0)
        #else
            listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #endif
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        let port = UInt16(bigEndian: address.sin_port)
        guard bound, let url = URL(string: "http://127.0.0.1:\(port)/files/\(path)") else {
            throw CocoaError(.featureUnsupported)
        }
        self.address = url
        self.behaviour = behaviour
        Thread { self.acceptAll() }.start()
    }

    /// The requests so far.
    package var requests: [Request] { state.withLock { $0.requests } }

    /// Stops accepting connections.
    package func stop() {
        let isFirst = state.withLock { state in
            defer { state.isStopped = true }
            return !state.isStopped
        }
        // The accepting thread closes the descriptor. If it were closed here, its number could go
        // to another server while that thread still listens on it.
        if isFirst { shutdown(listener, Int32(SHUT_RDWR)) }
    }

    private func acceptAll() {
        defer { close(listener) }
        while true {
            let connection = accept(listener, nil, nil)
            if connection < 0 { return }
            Thread {
                self.serve(connection)
                close(connection)
            }.start()
        }
    }

    private func serve(_ connection: Int32) {
        guard let request = read(connection) else { return }
        let attempt = state.withLock { state in
            state.requests.append(request)
            return state.requests.count - 1
        }
        let behaviour = behaviour(attempt, request[":path"] ?? "")
        var (start, end) = (0, behaviour.content.count)
        var status = behaviour.status
        if status == 200, behaviour.honoursRange, let range = request["range"],
            request["if-range"] == nil || request["if-range"] == behaviour.entityTag
                || request["if-range"] == behaviour.lastModified
        {
            let bounds = range.dropFirst("bytes=".count)
                .split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            start = bounds.first.flatMap { $0 } ?? 0
            end = min(end, bounds.last.flatMap { $0 }.map { $0 + 1 } ?? end)
            status = start < behaviour.content.count ? 206 : 416
        }
        let total = behaviour.content.count
        let body = status == 200 || status == 206 ? behaviour.content[start..<end] : Data()
        var header = "HTTP/1.1 \(status) Test\r\nConnection: close\r\n"
        if let tag = behaviour.entityTag { header += "ETag: \(tag)\r\n" }
        if let date = behaviour.lastModified { header += "Last-Modified: \(date)\r\n" }
        let first = start + behaviour.rangeShift
        if status == 206 {
            header += "Content-Range: bytes \(first)-\(end + behaviour.rangeShift - 1)/\(total)\r\n"
        }
        if status == 416 { header += "Content-Range: bytes */\(total)\r\n" }
        if !behaviour.hidesLength {
            header += "Content-Length: \(behaviour.announcedLength ?? body.count)\r\n"
        }
        send(Data("\(header)\r\n".utf8), to: connection)
        var rest = body.prefix(behaviour.cut ?? body.count)
        if let (count, gate) = behaviour.hold {
            let free = max(0, count - start)
            guard send(rest.prefix(free), to: connection) else { return }
            rest = rest.dropFirst(free)
            gate.wait()
        }
        guard send(rest, to: connection) else { return }
        // Wait until the client has read everything, because closing could discard some of it.
        shutdown(connection, Int32(SHUT_WR))
        var byte: UInt8 = 0
        while recv(connection, &byte, 1, 0) > 0 {}
    }

    private func read(_ connection: Int32) -> Request? {
        var bytes: [UInt8] = []
        var byte: UInt8 = 0
        while !bytes.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            guard recv(connection, &byte, 1, 0) == 1 else { return nil }
            bytes.append(byte)
        }
        let lines = String(decoding: bytes, as: UTF8.self).components(separatedBy: "\r\n")
        let target = lines[0].split(separator: " ").dropFirst().first ?? ""
        var request: Request = [":path": String(target.trimmingPrefix("/files/"))]
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { continue }
            let value = line[line.index(after: colon)...]
            request[line[..<colon].lowercased()] = value.trimmingCharacters(in: .whitespaces)
        }
        return request
    }

    @discardableResult
    private func send(_ data: Data, to connection: Int32) -> Bool {
        #if canImport(Darwin)
            let flags: Int32 = 0
        #else
            let flags = Int32(MSG_NOSIGNAL)
        #endif
        return data.withUnsafeBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Foundation.send(
                    connection, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count,
                    flags)
                if count <= 0 { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }
}

/// A gate that blocks threads until it is opened.
package final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)
    private let state = Mutex(false)

    package var isOpen: Bool { state.withLock { $0 } }

    package init() {}

    package func open() {
        state.withLock { $0 = true }
        semaphore.signal()
    }

    package func wait() {
        semaphore.wait()
        // Let the next thread pass.
        semaphore.signal()
    }
}
