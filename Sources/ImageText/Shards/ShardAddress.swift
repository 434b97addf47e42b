public import SystemPackage

/// The place of a shard: a file, the output of a command, or an address on a server.
public struct ShardAddress: Sendable, Hashable, CustomStringConvertible {
    /// The kind of place, with what is needed to read from it.
    public enum Kind: Sendable, Hashable {
        /// A file.
        case file(FilePath)
        /// A command of the shell whose standard output is the shard, from `pipe:COMMAND`.
        case command(String)
        /// An `http` or `https` address.
        case remote(String)
    }

    /// The kind of place.
    public let kind: Kind
    /// The place as text: a path, `pipe:COMMAND` or an address.
    public let description: String

    private static let pipe = "pipe:"

    /// Reads one address, without expanding patterns; see ``ShardList`` for those.
    public init(_ text: String) {
        if text.hasPrefix(Self.pipe) {
            self.init(.command(String(text.dropFirst(Self.pipe.count))), text)
        } else if Self.isRemote(text) {
            self.init(.remote(text), text)
        } else {
            self.init(FilePath(text))
        }
    }

    /// Creates the address of a file.
    public init(_ file: FilePath) {
        self.init(.file(file), file.description)
    }

    private init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    /// Whether a text is an `http` or `https` address.
    static func isRemote(_ text: String) -> Bool {
        let start = text.prefix(8).lowercased()
        return start.hasPrefix("http://") || start.hasPrefix("https://")
    }

    /// Whether a text is a command or an address on a server, and so no path.
    static func isElsewhere(_ text: String) -> Bool {
        text.hasPrefix(pipe) || isRemote(text)
    }

    /// The path that stands for a sample of this shard in reports.
    func path(of key: String) -> FilePath {
        // A key may begin with a slash, which would otherwise replace the shard.
        FilePath(description + "/" + key)
    }
}
