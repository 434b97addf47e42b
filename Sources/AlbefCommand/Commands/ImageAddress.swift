import Foundation
import Synchronization

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// The address of an image on the web, which is fetched into memory at a user's request.
struct ImageAddress: Sendable {
    /// The size of the largest image to fetch, in bytes.
    static let mostBytes = 64 << 20
    /// How long the server may be silent, in seconds.
    private static let patience = 30.0

    private let address: URL

    /// Parses an address; returns nil unless the text begins with http:// or https://.
    init?(_ text: String) {
        guard let address = URL(string: text), address.host() != nil,
            ["http", "https"].contains(address.scheme?.lowercased())
        else { return nil }
        self.address = address
    }

    /// Fetches the image's file.
    ///
    /// - Throws: ``FetchError`` if it cannot be fetched or is too large; `CancellationError`.
    func bytes() async throws -> [UInt8] {
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = Self.patience
        let receiver = Receiver()
        let session = URLSession(
            configuration: configuration, delegate: receiver, delegateQueue: nil)
        defer { session.finishTasksAndInvalidate() }
        let task = session.dataTask(with: address)
        let result = await withTaskCancellationHandler {
            await receiver.result(of: task)
        } onCancel: {
            task.cancel()
        }
        try Task.checkCancellation()
        switch result {
        case .success(let data): return Array(data)
        case .failure(let fault): throw FetchError(address: address, reason: fault.reason)
        }
    }

    private struct Fault: Error { let reason: String }

    /// Collects the response to one request.
    private final class Receiver: NSObject, URLSessionDataDelegate, Sendable {
        private struct State: Sendable {
            var data = Data()
            var fault: Fault?
            var continuation: CheckedContinuation<Result<Data, Fault>, Never>?
        }

        private let state = Mutex(State())

        func result(of task: URLSessionDataTask) async -> Result<Data, Fault> {
            await withCheckedContinuation { continuation in
                state.withLock { $0.continuation = continuation }
                task.resume()
            }
        }

        func urlSession(
            _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
            completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
        ) {
            let status = (response as? HTTPURLResponse)?.statusCode ?? 0
            let fault: Fault? =
                if !(200...299).contains(status) {
                    Fault(reason: "the server answered \(status)")
                } else if response.expectedContentLength > Int64(mostBytes) {
                    Self.tooLarge
                } else {
                    nil
                }
            state.withLock { $0.fault = fault }
            completionHandler(fault == nil ? .allow : .cancel)
        }

        func urlSession(
            _ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data
        ) {
            let isTooMuch = state.withLock { state in
                guard state.fault == nil else { return false }
                state.data += data
                guard state.data.count > mostBytes else { return false }
                state.fault = Self.tooLarge
                state.data = Data()
                return true
            }
            if isTooMuch { DispatchQueue.global().async { dataTask.cancel() } }
        }

        func urlSession(
            _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
        ) {
            let (continuation, result) = state.withLock { state in
                defer { state.continuation = nil }
                let fault = state.fault ?? error.map { Fault(reason: $0.localizedDescription) }
                return (
                    state.continuation, fault.map { .failure($0) } ?? Result.success(state.data)
                )
            }
            continuation?.resume(returning: result)
        }

        private static let tooLarge = Fault(
            reason: "the image has more than \(mostBytes >> 20) MiB")
    }
}

/// An image that could not be fetched.
struct FetchError: Error, CustomStringConvertible {
    let address: URL
    let reason: String

    var description: String { "\(address.absoluteString): cannot be fetched: \(reason)" }
}
