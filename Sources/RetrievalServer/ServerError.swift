/// An error that keeps the service from starting.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case setting, address, missingFiles, damagedFile }

    private let code: Code
    /// The setting or address and what is wrong with it, in one line.
    public let description: String

    static func setting(_ place: String, _ what: String) -> ServerError {
        ServerError(code: .setting, description: "\(place): \(what)")
    }

    static func missingFiles() -> ServerError {
        ServerError(
            code: .missingFiles,
            description: "the page's files are missing beside the program: install it again, or"
                + " copy the folder swift-albef_RetrievalServer.resources there")
    }

    static func damagedFile(_ path: String, _ reason: String) -> ServerError {
        ServerError(
            code: .damagedFile,
            description: "\(path): is damaged: \(reason); install the program again")
    }

    static func address(_ host: String, _ port: Int, _ reason: String) -> ServerError {
        ServerError(code: .address, description: "cannot listen on \(host):\(port): \(reason)")
    }
}
