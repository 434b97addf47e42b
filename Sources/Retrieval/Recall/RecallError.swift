/// An error of a store of features outside of the process; it names the store and the remedy.
public struct RecallError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable {
        case address, unsupported, unreachable, refused, mismatch, tooMany
    }

    private let code: Code
    /// The store, the problem and the remedy, in one line.
    public let description: String

    private init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    /// Whether the store could not be reached or was too busy, so that a later attempt may succeed.
    public var isTemporary: Bool { code == .unreachable }

    /// Whether the store holds features of another model, or something else.
    public var isMismatch: Bool { code == .mismatch }

    /// Whether a search needs more candidates than the store proposes.
    public var isOfCount: Bool { code == .tooMany }

    /// Returns the error for an address that cannot be read.
    static func address(_ problem: String) -> RecallError { RecallError(.address, problem) }

    /// Returns the error for a program that was built without a store's client.
    package static func unsupported(_ name: String) -> RecallError {
        RecallError(
            .unsupported,
            "\(name): this program was built without Milvus's client; build it with"
                + " 'swift build -c release --traits Milvus --product albef'")
    }

    /// Returns the error for a store that does not answer.
    public static func unreachable(_ name: String, _ reason: String) -> RecallError {
        RecallError(
            .unreachable,
            "\(name): no answer: \(reason); check that the server runs, its address, and ?tls=true")
    }

    /// Returns the error for an operation that a store refuses.
    public static func refused(
        _ name: String, _ operation: String, _ reason: String, advice: String? = nil
    ) -> RecallError {
        RecallError(
            .refused,
            "\(name): cannot \(operation): \(reason)" + (advice.map { "; \($0)" } ?? ""))
    }

    /// Returns the error for a store with other contents.
    public static func mismatch(_ name: String, _ reason: String) -> RecallError {
        RecallError(.mismatch, "\(name): \(reason)")
    }

    static func tooMany(_ name: String, _ count: Int, limit: Int) -> RecallError {
        RecallError(
            .tooMany,
            "\(name): proposes at most \(limit) candidates, but the search needs \(count); ask for"
                + " fewer results, or search without --recall")
    }
}
