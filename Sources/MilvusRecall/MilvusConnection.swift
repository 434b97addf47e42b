#if Milvus
    import Foundation
    import GRPCCore
    import GRPCNIOTransportHTTP2Posix
    import Retrieval
    import SwiftProtobuf
    import Synchronization

    /// A connection to a server, which retries what may be repeated.
    ///
    /// Every operation of this client may be repeated: writing, deleting and creating the same
    /// thing twice changes nothing.
    final class MilvusConnection: Sendable {
        private typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

        let address: MilvusAddress
        /// The seconds after which an operation gives up if the address names none.
        private let patience: Double
        private let metadata: Metadata
        private let state = Mutex<(client: Client, task: Task<Void, Never>)?>(nil)

        /// Prepares a connection, which opens with the first operation.
        init(_ address: MilvusAddress, patience: Double) {
            self.address = address
            self.patience = address.settings.timeout ?? patience
            var metadata: Metadata = [:]
            if let token = address.token {
                // Milvus reads the token, or user and password, in base 64 without a scheme.
                metadata.addString(
                    Data(token.utf8).base64EncodedString(), forKey: "authorization")
            }
            if !address.database.isEmpty {
                metadata.addString(address.database, forKey: "dbname")
            }
            self.metadata = metadata
        }

        deinit { close() }

        /// Ends the connection; operations in flight fail.
        func close() {
            let open = state.withLock { open in
                defer { open = nil }
                return open
            }
            open?.client.beginGracefulShutdown()
            open?.task.cancel()
        }

        /// Makes a call, and again after pauses while the server is unreachable or too busy.
        ///
        /// - Parameters:
        ///   - method: The name of the call in Milvus's service.
        ///   - request: The message to send.
        ///   - what: What the call does, for errors.
        ///   - status: Returns the status in the answer.
        /// - Throws: `RecallError` if the server refuses, or no attempt succeeds in time.
        func call<Request: Message, Response: Message>(
            _ method: String, _ request: Request, returning: Response.Type, to what: String,
            status: @Sendable (Response) -> MilvusStatus
        ) async throws -> Response {
            let deadline = ContinuousClock.now + .seconds(patience)
            var schedule = RetrySchedule()
            var generator = SystemRandomNumberGenerator()
            while true {
                let failure: String
                do {
                    let left = deadline - .now
                    let response: Response = try await send(method, request, within: left)
                    let status = status(response)
                    if status.isSuccess { return response }
                    guard status.isTemporary else { throw refusal(status, what) }
                    failure = status.reason
                } catch let error as RPCError {
                    try Task.checkCancellation()
                    guard Self.isTemporary(error.code) else { throw refusal(error, what) }
                    failure = "\(error)"
                }
                try Task.checkCancellation()
                let pause = schedule.next(using: &generator)
                guard ContinuousClock.now + pause < deadline else {
                    throw RecallError.unreachable(
                        "\(address)", "\(what): \(failure) (for \(patience) seconds)")
                }
                try await Task.sleep(for: pause)
            }
        }

        private func send<Request: Message, Response: Message>(
            _ method: String, _ request: Request, within duration: Duration
        ) async throws -> Response {
            var options = CallOptions.defaults
            options.timeout = max(duration, .milliseconds(1))
            options.maxResponseMessageBytes = 512 << 20
            options.maxRequestMessageBytes = 512 << 20
            return try await client().unary(
                request: ClientRequest(message: request, metadata: metadata),
                descriptor: MethodDescriptor(
                    fullyQualifiedService: "milvus.proto.milvus.MilvusService", method: method),
                serializer: Serializer<Request>(), deserializer: Deserializer<Response>(),
                options: options
            ) { try $0.message }
        }

        private func client() throws -> Client {
            try state.withLock { open in
                if let open { return open.client }
                let client = GRPCClient(transport: try transport())
                let task = Task(executorPreference: ConnectionExecutor.shared) {
                    // Each call reports what is wrong with the connection.
                    do { try await client.runConnections() } catch {}
                }
                open = (client, task)
                return client
            }
        }

        private func transport() throws -> HTTP2ClientTransport.Posix {
            var security = HTTP2ClientTransport.Posix.TransportSecurity.plaintext
            if address.settings.usesTLS {
                security = .tls { tls in
                    if let file = address.settings.certificates {
                        tls.trustRoots = .certificates([.file(path: file, format: .pem)])
                    }
                }
            }
            let target: any ResolvableTarget =
                address.host.contains(":")
                ? .ipv6(address: address.host, port: address.port)
                : .dns(host: address.host, port: address.port)
            do {
                return try HTTP2ClientTransport.Posix(
                    target: target, transportSecurity: security,
                    config: .defaults {
                        $0.backoff.initial = .milliseconds(200)
                        $0.backoff.max = .seconds(5)
                    })
            } catch {
                throw RecallError.refused(
                    "\(address)", "open an encrypted connection", "\(error)",
                    advice: "check ?ca=, which must name a PEM file")
            }
        }

        // MARK: Errors

        /// Returns whether a failed call may succeed later.
        ///
        /// All calls may be repeated, so it does not matter whether the server has received them.
        private static func isTemporary(_ code: RPCError.Code) -> Bool {
            [.unavailable, .resourceExhausted, .aborted].contains(code)
        }

        private func refusal(_ status: MilvusStatus, _ what: String) -> RecallError {
            .refused("\(address)", what, "\(status.reason) (code \(status.code))")
        }

        private func refusal(_ error: RPCError, _ what: String) -> RecallError {
            switch error.code {
            case .deadlineExceeded:
                .unreachable("\(address)", "\(what) took more than \(patience) seconds")
            case .unauthenticated, .permissionDenied:
                .refused(
                    "\(address)", what, error.message,
                    advice: "give user:password@ or a token@ in the address, or MILVUS_TOKEN")
            default: .refused("\(address)", what, "\(error.code): \(error.message)")
            }
        }
    }

    /// Threads of their own for connections, so that searches which wait for them cannot occupy
    /// the threads that they need.
    private final class ConnectionExecutor: TaskExecutor {
        static let shared = ConnectionExecutor()
        private let queue = DispatchQueue(label: "albef.milvus", attributes: .concurrent)

        func enqueue(_ job: consuming ExecutorJob) {
            let job = UnownedJob(job)
            queue.async { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
        }
    }

    private struct Serializer<Value: Message>: MessageSerializer {
        func serialize<Bytes: GRPCContiguousBytes>(_ message: Value) throws -> Bytes {
            Bytes(try message.serializedBytes() as [UInt8])
        }
    }

    private struct Deserializer<Value: Message>: MessageDeserializer {
        func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> Value {
            try bytes.withUnsafeBytes { try Value(serializedBytes: Array($0)) }
        }
    }
#endif
