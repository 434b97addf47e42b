import Downloads
import Foundation
import ImageText

extension ShardOpener {
    /// Opens files, commands, and addresses on servers.
    static let standard = ShardOpener { text in
        guard let address = URL(string: text), address.host != nil else {
            throw InvalidAddress(text: text)
        }
        return RemoteShard(RemoteStream(address))
    }

    private struct InvalidAddress: Error, CustomStringConvertible {
        let text: String
        var description: String { "'\(text)' is not a valid address" }
    }
}

/// A shard on a server.
private final class RemoteShard: ShardStream {
    private let stream: RemoteStream

    init(_ stream: RemoteStream) { self.stream = stream }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try stream.read(into: buffer)
    }

    func cancel() { stream.cancel() }
}
