public import Foundation
public import SystemPackage

/// A client that downloads large files, resumes broken downloads and checks every file.
///
/// The bytes are written to `NAME.partial`. After a broken connection, a cancelled task or a new
/// start of the program, the download resumes there, as long as the server has the same version.
/// The file gets its final name after three checks: its length is right, it has the expected
/// content, and its SHA-256 is the published one. If no hash is published, `hashes.json` in the
/// folder keeps the hash of the first download, and every later download must match it.
///
/// ```swift
/// let file = try await Downloader().download(address, to: "albef.pth", expecting: .checkpoint)
/// print(file.path, file.sha256)
/// ```
public struct Downloader: Sendable {
    /// The number of attempts in a row that may fail without progress.
    public var attempts: Int
    /// The pause before the second attempt, which doubles from then on, up to a minute.
    public var firstDelay: Duration
    /// The time without data from the server after which an attempt fails.
    public var idleTimeout: Duration
    /// The length in bytes of the longest file that is accepted; nil for that of the file's kind.
    public var maximumBytes: Int64?

    /// Creates a downloader; the defaults suit files of gigabytes over the internet.
    ///
    /// - Parameters:
    ///   - attempts: the number of attempts in a row that may fail without progress; 6 by default,
    ///     with pauses of about half a minute in all.
    ///   - firstDelay: the pause before the second attempt; one second by default.
    ///   - idleTimeout: the time without data after which an attempt fails; one minute by default.
    ///   - maximumBytes: the length of the longest file that is accepted; by default 256 MiB for a
    ///     vocabulary or a document, and 64 GiB for everything else.
    public init(
        attempts: Int = 6, firstDelay: Duration = .seconds(1),
        idleTimeout: Duration = .seconds(60), maximumBytes: Int64? = nil
    ) {
        self.attempts = attempts
        self.firstDelay = firstDelay
        self.idleTimeout = idleTimeout
        self.maximumBytes = maximumBytes
    }

    /// Downloads a file, or checks the existing one.
    ///
    /// - Parameters:
    ///   - address: an `http` or `https` address.
    ///   - file: the path for the file; missing folders are created.
    ///   - sha256: the published hash in hexadecimal. If it is nil, the hash of the first download
    ///     is recorded, and every later one must be equal.
    ///   - content: the content that the file must have; anything by default.
    ///   - progress: a closure that is called at the start and the end of each attempt and after
    ///     every mebibyte, on any thread.
    /// - Returns: the path and the hash of the file.
    /// - Throws: ``DownloadError``, or `CancellationError` if the task is cancelled. The received
    ///   bytes stay on the disk for the next call.
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
        let limit = maximumBytes ?? content.maximumBytes
        guard var partial = try PartialFile(beside: file, maximumBytes: limit) else {
            throw DownloadError(.inUse, address: address, file: file)
        }
        defer { partial.close() }
        do {
            try await fill(&partial, from: address, for: file, progress: progress)
        } catch let error as DownloadError {
            // If the server does not have the file, no empty one stays behind, and of a file that is
            // too large nothing does.
            if partial.size == 0 || error.isTooLarge { partial.discard() }
            throw error
        }
        do {
            let actual = try check.run(on: partial.path, isNew: true)
            try partial.publish(as: file)
            return DownloadedFile(path: file, sha256: actual, isNew: true)
        } catch let error as DownloadError {
            // The next attempt must not resume wrong bytes.
            partial.discard()
            throw error
        }
    }

    /// Repeats requests until the file is complete.
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
            // A server that cannot resume starts over, so only a new maximum is progress.
            failures = partial.size > best ? 1 : failures + 1
            best = max(best, partial.size)
            guard error.isTransient, failures < attempts else { throw error }
            // The limit on the exponent only prevents an overflow.
            let delay = min(firstDelay * (1 << min(failures - 1, 16)), .seconds(60))
            try await Task.sleep(for: delay)
        }
    }
}

/// The progress of a download.
public struct DownloadProgress: Sendable, Hashable {
    /// The number of bytes on the disk, including those of earlier attempts.
    public let received: Int64
    /// The length of the whole file in bytes; nil if the server does not report it.
    public let total: Int64?
}

/// A file that has been downloaded and checked.
public struct DownloadedFile: Sendable, Hashable {
    /// The path of the file.
    public let path: FilePath
    /// The SHA-256 of the file, in lower-case hexadecimal.
    public let sha256: String
    /// Whether this call downloaded the file; false if it existed and was unchanged.
    public let isNew: Bool
}
