import Foundation
import SystemPackage

/// The bytes of an address that were received and have not been read.
///
/// The transfer of a part never waits for the reader: all sessions of a process share one queue on
/// Linux, so one that waits would hold up the others.
///
/// The condition guards all variables. A Mutex would not suffice, because threads wait for changes.
final class RemoteBuffer: @unchecked Sendable {
    private let address: URL
    private let policy: Downloader
    private let partLength: Int64
    private let condition = NSCondition()
    private var chunks: [Data] = []
    private var waiting = 0
    /// Where bytes wait that come all at once; nil as long as parts come.
    private var file: SpoolFile?
    /// The target of the next part, while there is no room for it.
    private var next: RemoteTarget?
    private var isComplete = false
    private var failure: DownloadError?
    private var isCancelled = false
    private var stop: (@Sendable () -> Void)?
    private var failures = 0

    init(_ address: URL, policy: Downloader, partLength: Int64) {
        self.address = address
        self.policy = policy
        self.partLength = partLength
    }

    /// Requests the first part.
    func begin() { attempt(RemoteTarget(self, partLength: partLength)) }

    func read(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
        condition.lock()
        defer { condition.unlock() }
        while true {
            if isCancelled { throw error(.stream("reading was stopped")) }
            if let count = try take(into: bytes) { return count }
            if let failure { throw failure }
            if isComplete { return 0 }
            condition.wait()
        }
    }

    /// Adds received bytes.
    func add(_ data: Data) throws {
        condition.lock()
        defer { condition.unlock() }
        guard !isCancelled else { throw Errno.canceled }
        if file == nil {
            chunks.append(data)
            waiting += data.count
        } else {
            try file?.append(data)
        }
        // Progress, so the next failure is the first again.
        failures = 0
        condition.broadcast()
    }

    /// Lets the bytes that follow wait in a file.
    func spool() throws {
        condition.lock()
        defer { condition.unlock() }
        if file == nil { file = try SpoolFile() }
    }

    func cancel() {
        condition.lock()
        isCancelled = true
        let stop = stop
        (self.stop, next, file) = (nil, nil, nil)
        chunks = []
        condition.broadcast()
        condition.unlock()
        stop?()
    }

    /// Copies bytes that wait; nil if there are none.
    private func take(into bytes: UnsafeMutableRawBufferPointer) throws -> Int? {
        guard let first = chunks.first else {
            let count = try file?.read(into: bytes) ?? 0
            return count > 0 ? count : nil
        }
        let count = first.copyBytes(to: bytes)
        if count < first.count {
            chunks[0] = first.dropFirst(count)
        } else {
            chunks.removeFirst()
        }
        waiting -= count
        if waiting < partLength, let next {
            self.next = nil
            attempt(next)
        }
        return count
    }

    /// Requests the next part, on another thread, because creating a request may wait for others.
    private func attempt(_ target: RemoteTarget, after delay: Duration = .zero) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay / .seconds(1)) { [self] in
            let halt = Transfer.start(
                address, into: target, idleTimeout: policy.idleTimeout, progress: { _ in }
            ) { [self] target, failure in end(target, failure) }
            condition.lock()
            let isLate = isCancelled
            if !isLate { stop = halt }
            condition.unlock()
            if isLate { halt() }
        }
    }

    private func end(_ target: RemoteTarget, _ code: DownloadError.Code?) {
        condition.lock()
        defer {
            condition.broadcast()
            condition.unlock()
        }
        guard !isCancelled else { return }
        if let code {
            failures += 1
            guard error(code).isTransient, failures < policy.attempts else {
                failure = error(code.ofStream)
                return
            }
            // The limit on the exponent only prevents an overflow.
            attempt(
                target, after: min(policy.firstDelay * (1 << min(failures - 1, 16)), .seconds(60)))
        } else if let total = target.total, target.size < total {
            if waiting < partLength { attempt(target) } else { next = target }
        } else {
            isComplete = true
        }
    }

    private func error(_ code: DownloadError.Code) -> DownloadError {
        DownloadError(code, address: address, file: FilePath(""))
    }
}

/// A file without a name, which is written at its end and read from its beginning.
private final class SpoolFile {
    private let descriptor: FileDescriptor
    private var (written, read): (Int64, Int64) = (0, 0)

    init() throws {
        let path = FilePath(NSTemporaryDirectory()).appending("albef-stream-\(UUID().uuidString)")
        descriptor = try FileDescriptor.open(
            path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
            permissions: .ownerReadWrite)
        unlink(path.string)
    }

    deinit { try? descriptor.close() }

    func append(_ data: Data) throws {
        try descriptor.write(data, at: &written)
    }

    /// Returns 0 if everything was read.
    func read(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
        guard read < written else { return 0 }
        let count = try descriptor.read(fromAbsoluteOffset: read, into: bytes)
        read += Int64(count)
        return count
    }
}

extension DownloadError.Code {
    /// The same failure in words that do not speak of a file.
    fileprivate var ofStream: Self {
        switch self {
        case .network(let reason), .storage(let reason): .stream(reason)
        case .disk(let error): .stream("what was received cannot be kept: \(error)")
        case .size(let expected, let actual):
            .stream("the connection ended after \(actual) of \(expected) bytes")
        default: self
        }
    }
}
