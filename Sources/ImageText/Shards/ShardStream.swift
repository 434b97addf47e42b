/// The bytes of one shard, in order.
///
/// Reading blocks its thread, so it is done away from Swift's thread pool. ``cancel()`` may be
/// called from any thread; everything else from one at a time.
public protocol ShardStream: AnyObject, Sendable {
    /// Reads the next bytes.
    ///
    /// - Parameter buffer: Memory for the bytes, not empty.
    /// - Returns: The number of bytes, at least 1, or 0 at the end.
    /// - Throws: Any error whose description says why the bytes cannot be had.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int

    /// Passes over bytes without reading them, as far as this costs less than reading.
    ///
    /// - Returns: The number of bytes passed over, from 0 to `count`.
    func skip(_ count: Int64) throws -> Int64

    /// Checks, after the last byte, that the source ended as it should.
    ///
    /// - Throws: Any error whose description says what went wrong.
    func finish() throws

    /// Ends reading: a ``read(into:)`` that waits fails soon, and so do later ones.
    func cancel()
}

extension ShardStream {
    /// Passes over nothing, so that the caller reads.
    public func skip(_ count: Int64) throws -> Int64 { 0 }
    /// Accepts every end.
    public func finish() throws {}
}

/// Opens shards: files, commands, and with a closure of its owner's also addresses.
public struct ShardOpener: Sendable {
    /// Opens an `http` or `https` address, from its first byte.
    public typealias Remote = @Sendable (_ address: String) throws -> any ShardStream

    private let remote: Remote?

    /// Creates an opener.
    ///
    /// - Parameter remote: Opens `http` and `https` addresses; by default they are refused, because
    ///   this library has no network code.
    public init(remote: Remote? = nil) { self.remote = remote }

    /// Opens a shard.
    ///
    /// - Throws: An error whose description says why it cannot be opened.
    public func open(_ address: ShardAddress) throws -> any ShardStream {
        switch address.kind {
        case .file(let path): return try FileShardStream(path)
        case .command(let command): return try CommandStream(command)
        case .remote(let address):
            guard let remote else {
                throw ShardFault("addresses on a server are not supported here")
            }
            return try remote(address)
        }
    }
}

/// The reason that a shard cannot be read further, without the shard's name.
struct ShardFault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
