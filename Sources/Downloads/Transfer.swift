import Foundation
import Synchronization
import SystemPackage

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// An HTTP request that fills a file or feeds a reader, and resumes if the server allows.
///
/// The delegate's queue is serial, so each chunk is written before the next is handled.
final class Transfer<Target: TransferTarget>: NSObject, URLSessionDataDelegate, Sendable {
    private struct State: Sendable {
        var partial: Target
        /// Called once, with the received bytes and the failure if there was one.
        var completion: (@Sendable (Target, DownloadError.Code?) -> Void)?
        /// The size of the whole file in bytes; nil until the server reports it.
        var total: Int64?
        var failure: DownloadError.Code?
        /// Whether the server answered that the partial file is already complete.
        var isComplete = false
        var isCancelled = false
        var reported: Int64 = -1

        /// Fails if a file of this length is longer than the target takes.
        mutating func checkLength(_ length: Int64) {
            if let maximum = partial.maximumBytes, length > maximum {
                failure = .tooLarge(maximum: maximum)
            }
        }
    }

    private let address: URL
    private let progress: @Sendable (DownloadProgress) -> Void
    private let state: Mutex<State>
    /// The queue of chunks, each of about 16 KiB, so that about 4 MiB at most wait in memory.
    private let queue = BoundedQueue(limit: 256)

    /// The number of bytes between two reports of progress.
    private static var reportInterval: Int64 { 1 << 20 }

    private init(
        address: URL, partial: Target, progress: @escaping @Sendable (DownloadProgress) -> Void,
        completion: @escaping @Sendable (Target, DownloadError.Code?) -> Void
    ) {
        self.address = address
        self.progress = progress
        state = Mutex(State(partial: partial, completion: completion))
    }

    /// Runs one request to its end.
    ///
    /// - Returns: the target with the received bytes, and the failure if there was one.
    /// - Throws: `CancellationError` if the task is cancelled; the received bytes stay in the
    ///   target.
    static func run(
        _ address: URL, into partial: Target, idleTimeout: Duration,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) async throws -> (Target, DownloadError.Code?) {
        try Task.checkCancellation()
        let request = Mutex<(stop: (@Sendable () -> Void)?, isCancelled: Bool)>((nil, false))
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let end = start(
                    address, into: partial, idleTimeout: idleTimeout, progress: progress
                ) { continuation.resume(returning: ($0, $1)) }
                let isCancelled = request.withLock { request in
                    request.stop = end
                    return request.isCancelled
                }
                if isCancelled { end() }
            }
        } onCancel: {
            let stop = request.withLock { request in
                request.isCancelled = true
                return request.stop
            }
            stop?()
        }
        try Task.checkCancellation()
        return result
    }

    /// Starts one request.
    ///
    /// - Parameter completion: Called once, on any thread, with the target and the failure if there
    ///   was one.
    /// - Returns: A closure that ends the request early.
    static func start(
        _ address: URL, into partial: Target, idleTimeout: Duration,
        progress: @escaping @Sendable (DownloadProgress) -> Void,
        completion: @escaping @Sendable (Target, DownloadError.Code?) -> Void
    ) -> @Sendable () -> Void {
        let transfer = Transfer(
            address: address, partial: partial, progress: progress, completion: completion)
        let configuration = URLSessionConfiguration.ephemeral
        configuration.timeoutIntervalForRequest = idleTimeout / .seconds(1)
        configuration.urlCache = nil
        let session = URLSession(
            configuration: configuration, delegate: transfer, delegateQueue: transfer.queue)
        var request = URLRequest(url: address)
        // The length of a compressed response would not be that of the file.
        request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
        let tag = partial.origin().flatMap { $0.address == address ? $0.validator : nil }
        if tag != nil || partial.requestedEnd != nil {
            let last = partial.requestedEnd.map { String($0 - 1) } ?? ""
            request.setValue("bytes=\(partial.size)-\(last)", forHTTPHeaderField: "Range")
        }
        if let tag { request.setValue(tag, forHTTPHeaderField: "If-Range") }
        let task = session.dataTask(with: request)
        task.resume()
        session.finishTasksAndInvalidate()
        return {
            transfer.state.withLock { $0.isCancelled = true }
            stop(task)
        }
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
                if let total = state.total { state.checkLength(total) }
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
            state.checkLength(state.partial.size + Int64(data.count))
            do {
                if state.failure == nil { try state.partial.append(data) }
            } catch {
                state.failure = Self.code(of: error)
            }
            return state.failure != nil
        }
        if failed { Self.stop(dataTask) } else { report() }
    }

    func urlSession(
        _ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?
    ) {
        report(isLast: true)
        let (completion, partial, failure) = state.withLock { state in
            let size = state.partial.size
            if state.failure == nil, !state.isComplete {
                if let total = state.total, size != total {
                    state.failure = .size(expected: total, actual: size)
                }
                if let error, state.total == nil || state.failure != nil {
                    state.failure = .network(reason: error.localizedDescription)
                }
            }
            defer { state.completion = nil }
            return (state.completion, state.partial, state.failure)
        }
        completion?(partial, failure)
    }

    /// Decides from the status and the headers whether to resume, start over or fail.
    private func begin(_ response: URLResponse, _ state: inout State) throws {
        guard let response = response as? HTTPURLResponse else {
            state.failure = .network(reason: "the response is not HTTP")
            return
        }
        let range = response.value(forHTTPHeaderField: "Content-Range") ?? ""
        let origin = PartialFile.Origin(
            address: address, entityTag: response.value(forHTTPHeaderField: "ETag"),
            lastModified: response.value(forHTTPHeaderField: "Last-Modified"))
        switch response.statusCode {
        case 200:
            try state.partial.restart(from: origin)
            state.total = response.value(forHTTPHeaderField: "Content-Length").flatMap { Int64($0) }
        case 206:
            // "bytes 100-199/200"
            guard range.hasPrefix("bytes \(state.partial.size)-") else {
                state.failure = .range(range)
                return
            }
            let total = range.split(separator: "/").last.flatMap { Int64($0) }
            try state.partial.resume(from: origin, total: total)
            // A part ends where it was asked to end.
            let requested = state.partial.requestedEnd
            state.total = total.map { min($0, requested ?? $0) } ?? requested
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
