public import Foundation

/// The content of an address, read from its first byte to its last.
///
/// The content is requested in parts of 16 MiB, at most two of which are in memory. After a broken
/// connection the next request asks for the bytes from there on. A server that does not answer
/// requests for parts sends everything at once; what is ahead of the reader then waits in a
/// temporary file.
///
/// ```swift
/// let stream = RemoteStream(address)
/// var bytes = [UInt8](repeating: 0, count: 65_536)
/// while case let count = try bytes.withUnsafeMutableBytes(stream.read(into:)), count > 0 {
///     print(bytes[..<count].count)
/// }
/// ```
public final class RemoteStream: Sendable {
    private let buffer: RemoteBuffer

    /// Begins to receive.
    ///
    /// - Parameters:
    ///   - address: An `http` or `https` address.
    ///   - policy: How often to try again, and how long to wait.
    public convenience init(_ address: URL, policy: Downloader = Downloader()) {
        self.init(address, policy: policy, partLength: 16 << 20)
    }

    /// - Parameter partLength: The number of bytes to request at once.
    package init(_ address: URL, policy: Downloader, partLength: Int64) {
        buffer = RemoteBuffer(address, policy: policy, partLength: partLength)
        buffer.begin()
    }

    deinit { buffer.cancel() }

    /// Waits for the next bytes; this blocks the thread.
    ///
    /// - Parameter bytes: Memory for the bytes, not empty.
    /// - Returns: The number of bytes, at least 1, or 0 after the last one.
    /// - Throws: ``DownloadError`` if the server fails for good or ``cancel()`` was called.
    public func read(into bytes: UnsafeMutableRawBufferPointer) throws -> Int {
        try buffer.read(into: bytes)
    }

    /// Ends receiving; a reader that waits gets an error.
    public func cancel() { buffer.cancel() }
}
