public import Foundation
public import SystemPackage

/// Downloads large files so that nothing is lost or believed without being checked.
///
/// Bytes go to `NAME.partial` and are continued after a broken connection, a cancelled task or a
/// new start of the program, as long as the server still has the same version. The finished file
/// takes its name only when its length is right, it is what was expected and not a web page, and its
/// SHA-256 is the published one, or the one recorded in the folder's `hashes.json` at the first
/// download.
public struct Downloader: Sendable {
    /// How many attempts in a row may fail without progress.
    public var attempts: Int
    /// The pause before the second attempt; it doubles from there, up to a minute.
    public var firstDelay: Duration
    /// How long the server may stay silent before an attempt counts as failed.
    public var idleTimeout: Duration

    /// A downloader; the defaults suit files of gigabytes over the internet.
    ///
    /// - Parameters:
    ///   - attempts: 6 by default, which is patient for about half a minute.
    ///   - firstDelay: One second by default.
    ///   - idleTimeout: One minute by default.
    public init(
        attempts: Int = 6, firstDelay: Duration = .seconds(1), idleTimeout: Duration = .seconds(60)
    ) {
        self.attempts = attempts
        self.firstDelay = firstDelay
        self.idleTimeout = idleTimeout
    }

    /// Fetches a file, or checks the one that is there already.
    ///
    /// - Parameters:
    ///   - address: An `http` or `https` address.
    ///   - file: Where to put it; missing folders are made.
    ///   - sha256: The published hash in hexadecimal. Without it the first download's is recorded
    ///     and every later one has to be equal.
    ///   - content: What the file has to be; anything by default.
    ///   - progress: Called at least at the start and the end of each attempt and after every
    ///     mebibyte, from any thread.
    /// - Throws: ``DownloadError``, or `CancellationError` when the task is cancelled; what has
    ///   been received stays on disk for the next call.
    public func download(
        _ address: URL, to file: FilePath, sha256: String? = nil,
        expecting content: DownloadContent = .anything,
        progress: @escaping @Sendable (DownloadProgress) -> Void = { _ in }
    ) async throws -> DownloadedFile {
        do {
            return try await fetch(
                address, to: file, sha256: sha256, expecting: content, progress: progress)
        } catch let error as Errno {
            throw DownloadError(.disk(error), address: address, file: file)
        } catch let error where !(error is DownloadError || error is CancellationError) {
            throw DownloadError(.storage(reason: "\(error)"), address: address, file: file)
        }
    }

    private func fetch(
        _ address: URL, to file: FilePath, sha256: String?, expecting content: DownloadContent,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) async throws -> DownloadedFile {
        try FileManager.default.createDirectory(
            atPath: file.removingLastComponent().string, withIntermediateDirectories: true)
        let check = try FileCheck(file, content: content, published: sha256, address: address)
        if FileManager.default.fileExists(atPath: file.string) {
            let actual = try check.run(on: file, isNew: false)
            return DownloadedFile(path: file, sha256: actual, isNew: false)
        }
        guard var partial = try PartialFile(beside: file) else {
            throw DownloadError(.inUse, address: address, file: file)
        }
        defer { partial.close() }
        do {
            try await fill(&partial, from: address, for: file, progress: progress)
        } catch let error as DownloadError {
            // A file that a server does not have leaves no empty one behind.
            if partial.size == 0 { partial.discard() }
            throw error
        }
        do {
            let actual = try check.run(on: partial.path, isNew: true)
            try partial.publish(as: file)
            return DownloadedFile(path: file, sha256: actual, isNew: true)
        } catch let error as DownloadError {
            // Wrong bytes must not be continued.
            partial.discard()
            throw error
        }
    }

    /// Repeats requests until the file is whole.
    private func fill(
        _ partial: inout PartialFile, from address: URL, for file: FilePath,
        progress: @escaping @Sendable (DownloadProgress) -> Void
    ) async throws {
        var failures = 0
        var best = partial.size
        while true {
            let failure: DownloadError.Code?
            (partial, failure) = try await Transfer.run(
                address, into: partial, idleTimeout: idleTimeout, progress: progress)
            guard let failure else { return }
            let error = DownloadError(failure, address: address, file: file)
            // A server that cannot continue starts over: only a new maximum is progress.
            failures = partial.size > best ? 1 : failures + 1
            best = max(best, partial.size)
            guard error.isTransient, failures < attempts else { throw error }
            // 2^6 seconds is past the minute already.
            let delay = min(firstDelay * (1 << min(failures - 1, 16)), .seconds(60))
            try await Task.sleep(for: delay)
        }
    }
}

/// How far a download has come.
public struct DownloadProgress: Sendable, Hashable {
    /// Bytes on disk, those of earlier attempts included.
    public let received: Int64
    /// Bytes of the whole file; `nil` if the server does not say.
    public let total: Int64?
}

/// A file that has been downloaded and checked.
public struct DownloadedFile: Sendable, Hashable {
    /// Where it is.
    public let path: FilePath
    /// Its SHA-256, in lower-case hexadecimal.
    public let sha256: String
    /// Whether this call downloaded it; `false` if it was there and unchanged.
    public let isNew: Bool
}
