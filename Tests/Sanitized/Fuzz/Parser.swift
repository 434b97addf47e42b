/// A reader of bytes from outside, with a name by which it is run.
struct Parser: Sendable {
    let name: String
    /// Reads an input, and uses whatever was read in the way that the program would.
    let read: @Sendable ([UInt8]) throws -> Void

    init(_ name: String, _ read: @escaping @Sendable ([UInt8]) throws -> Void) {
        self.name = name
        self.read = read
    }

    static let all =
        weights + texts + tokenizers + annotations + images + indexes + requests

    static func named(_ name: String) -> Parser? { all.first { $0.name == name } }
}

/// An input that is not for the parser, but for one in another library.
struct OtherFormat: Error {}

/// Bytes that are not UTF-8, where the program asks for text.
struct NotText: Error {}

extension [UInt8] {
    /// The bytes as a text.
    func text() throws -> String {
        guard let text = String(validating: self, as: UTF8.self) else { throw NotText() }
        return text
    }

    /// The parts between zero bytes, for parsers that read several files together; at least `count`.
    func parts(_ count: Int) -> [[UInt8]] {
        var found = split(separator: 0, maxSplits: count - 1, omittingEmptySubsequences: false)
            .map { [UInt8]($0) }
        while found.count < count { found.append([]) }
        return found
    }
}
