import Foundation
import Synchronization
import SystemPackage

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// An HTTP request that fills a partial file, and resumes it if the server allows.
///
/// The delegate's queue is serial, so each chunk is written before the next is handled.
final class Transfer: NSObject, URLSessionDataDelegate, Sendable {
    private struct State: Sendable {
        var partial: PartialFile
        var continuation: CheckedContinuation<(PartialFile, DownloadError.Code?), Never>?
        /// The size of the whole file in bytes; nil until the server reports it.
        var total: Int64?
        var failure: DownloadError.Code?
        /// Whether the server answered that the partial file is already complete.
        var isComplete = false
        var isCancelled = false
        var reported: Int64 = -1
    }

    private let address: URL
    private let progress: @Sendable (DownloadProgress) -> Void
    private let state: Mutex<State>
    /// The queue of chunks, each of about 16 KiB, so that about 4 MiB at most wait in memory.
    private let queue = BoundedQueue(limit: 256)

    /// The number of bytes between two reports of progress.
    private static let reportInterval: Int64 = 1 << 20

    private init(
        address: URL, partial: PartialFile, progress: @escaping @Sendable (DownloadProgress) -> Void
    ) {
        self.address = address
        self.progress = progress
        state = Mutex(State(partial: partial))
    }

    /// Runs one request to its end.
    ///
    /// - Returns: the partial file with the received bytes, and the failure if there was one.
    /// - Throws: `CancellationError` if the task is cancelled; the received bytes stay on the disk.
    static func run(
        _ address: URL, into partial: PartialFile, idleTimeout: Duration,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) async throws -> (PartialFile, DownloadError.Code?) {
        try Task.checkCancellation()
        let transfer = Transfer(address: address, partial: partial, progress: progress)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = idleTimeout / .seconds(1)
        configuration.urlCache = nil
        let session = URLSession(
            configuration: configuration, delegate: transfer, delegateQueue: transfer.queue)
        defer { session.finishTasksAndInvalidate() }
        var request = URLRequest(url: address)
        // The length of a compressed response would not be that of the file.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        if let origin = partial.origin(), origin.address == address, let tag = origin.validator {
            request.setValue("bytes=\(partial.size)-", forHTTPHeaderField: "Range")
            request.setValue(tag, forHTTPHeaderField: "If-Range")
        }
        let task = session.dataTask(with: request)
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                transfer.state.withLock { $0.continuation = continuation }
                task.resume()
            }
        } onCancel: {
            transfer.state.withLock { $0.isCancelled = true }
            stop(task)
        }
        try Task.checkCancellation()
        return result
    }

    /// Cancels a task on another thread, which may wait for the session; see ``BoundedQueue``.
    private static func stop(_ task: URLSessionTask) {
        DispatchQueue.global().async { task.cancel() }
    }

    func urlSession(
        _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
        completionHandler: @escaping @Sendable (URLSession.ResponseDisposition) -> Void
    ) {
        let isWanted = state.withLock { state in
            do {
                try begin(response, &state)
            } catch {
                state.failure = Self.code(of: error)
            }
            return state.failure == nil && !state.isComplete
        }
        report()
        completionHandler(isWanted ? .allow : .cancel)
    }

    func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
        let failed = state.withLock { state in
            // Chunks after a failure are dropped; appending them would leave a gap.
            guard state.failure == nil, !state.isComplete, !state.isCancelled else { return false }
            do {
                try state.partial.append(data)
                return false
            } catch {
                state.failure = Self.code(of: error)
                return true
            }
        }
        if failed { Self.stop(dataTask) } else { report() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        report(isLast: true)
        let (continuation, partial, failure) = state.withLock { state in
            let size = state.partial.size
            if state.failure == nil, !state.isComplete {
                if let total = state.total, size != total {
                    state.failure = .size(expected: total, actual: size)
                }
                if let error, state.total == nil || state.failure != nil {
                    state.failure = .network(reason: error.localizedDescription)
                }
            }
            defer { state.continuation = nil }
            return (state.continuation, state.partial, state.failure)
        }
        continuation?.resume(returning: (partial, failure))
    }

    /// Decides from the status and the headers whether to resume, start over or fail.
    private func begin(_ response: URLResponse, _ state: inout State) throws {
        guard let response = response as? HTTPURLResponse else {
            state.failure = .network(reason: "the response is not HTTP")
            return
        }
        let range = response.value(forHTTPHeaderField: "Content-Range") ?? ""
        switch response.statusCode {
        case 200:
            try state.partial.restart(
                from: PartialFile.Origin(
                    address: address,
                    entityTag: response.value(forHTTPHeaderField: "ETag"),
                    lastModified: response.value(forHTTPHeaderField: "Last-Modified")))
            state.total = response.value(forHTTPHeaderField: "Content-Length").flatMap { Int64($0) }
        case 206:
            // "bytes 100-199/200"
            guard range.hasPrefix("bytes \(state.partial.size)-") else {
                state.failure = .range(range)
                return
            }
            state.total = range.split(separator: "/").last.flatMap { Int64($0) }
        case 416 where range == "bytes */\(state.partial.size)":
            state.isComplete = true
        case 416:
            // The file on the server is now shorter, so the download must start over.
            try state.partial.restart(from: PartialFile.Origin(address: address))
            state.failure = .range(range)
        default:
            state.failure = .status(response.statusCode)
        }
    }

    private func report(isLast: Bool = false) {
        let due = state.withLock { state -> DownloadProgress? in
            let size = state.partial.size
            let step = size - state.reported
            guard state.failure == nil, !state.isCancelled,
                state.reported < 0 || step >= Self.reportInterval
                    || step < 0 || (isLast && step > 0)
            else { return nil }
            state.reported = size
            return DownloadProgress(received: size, total: state.total)
        }
        if let due { progress(due) }
    }

    private static func code(of error: any Error) -> DownloadError.Code {
        if let error = error as? Errno { return .disk(error) }
        return .storage(reason: error.localizedDescription)
    }
}
