import Foundation
import SystemPackage

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// Why a file could not be downloaded.
public struct DownloadError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable, Equatable {
        case status(Int)
        case network(reason: String)
        case size(expected: Int64, actual: Int64)
        case range(String)
        case hash(expected: String, actual: String, isRecorded: Bool)
        case disk(Errno)
        case storage(reason: String)
        case inUse
    }

    let code: Code
    let address: URL
    let file: FilePath

    init(_ code: Code, address: URL, file: FilePath) {
        self.code = code
        self.address = address
        self.file = file
    }

    /// Whether the same download may succeed if tried again a little later.
    public var isTransient: Bool {
        switch code {
        case .status(let status): [408, 425, 429, 500, 502, 503, 504].contains(status)
        case .network, .size, .range: true
        case .hash, .disk, .storage, .inUse: false
        }
    }

    /// The HTTP status that the server answered with, if that was the failure.
    public var status: Int? {
        if case .status(let status) = code { status } else { nil }
    }

    /// The address, the file, and what went wrong.
    public var description: String {
        switch code {
        case .status(let status):
            let phrase = HTTPURLResponse.localizedString(forStatusCode: status)
            return "\(address): the server answered \(status) (\(phrase))"
        case .network(let reason):
            return "\(address): \(reason); a new attempt will continue \(file).partial"
        case .size(let expected, let actual):
            return "\(address): received \(actual) bytes of \(expected)"
        case .range(let range):
            return "\(address): the server continued at the wrong place ('\(range)')"
        case .hash(let expected, let actual, let isRecorded):
            let origin = isRecorded ? "when first downloaded" : "as published"
            return "\(file): SHA-256 is \(actual), but was \(expected) \(origin); "
                + "delete the file to download it again"
        case .disk(.noSpace):
            return "\(file): the disk is full; free some space and start again to continue"
        case .disk(let error):
            return "\(file): cannot be written: \(error)"
        case .storage(let reason):
            return "\(file): \(reason)"
        case .inUse:
            return "\(file): another process is downloading it"
        }
    }
}
