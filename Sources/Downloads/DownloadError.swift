import Foundation
import SystemPackage

#if canImport(FoundationNetworking)
    import FoundationNetworking
#endif

/// An error that names a file and the reason why it could not be downloaded.
public struct DownloadError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable, Equatable {
        case status(Int)
        case network(reason: String)
        case size(expected: Int64, actual: Int64)
        case range(String)
        case tooLarge(maximum: Int64)
        case content(DownloadContent, fault: String, isNew: Bool)
        case hash(expected: String, actual: String, isNew: Bool)
        case recordedHash(expected: String, actual: String, record: FilePath, isNew: Bool)
        case disk(Errno)
        case storage(reason: String)
        case inUse
        case stream(String)
    }

    let code: Code
    let address: URL
    let file: FilePath

    init(_ code: Code, address: URL, file: FilePath) {
        self.code = code
        self.address = address
        self.file = file
    }

    /// Whether the same download may succeed a little later.
    public var isTransient: Bool {
        switch code {
        case .status(let status): [408, 425, 429, 500, 502, 503, 504].contains(status)
        case .network, .size, .range: true
        case .tooLarge, .content, .hash, .recordedHash, .disk, .storage, .inUse, .stream: false
        }
    }

    /// The HTTP status of the server's answer, if the status is the failure.
    public var status: Int? {
        if case .status(let status) = code { status } else { nil }
    }

    /// Whether the server does not have the file.
    var isAbsence: Bool { [404, 410].contains(status) }

    /// Whether the server sends more bytes than are accepted.
    var isTooLarge: Bool {
        if case .tooLarge = code { true } else { false }
    }

    /// The address or the file, the failure, and what to do.
    public var description: String {
        switch code {
        case .status(let status):
            let phrase = HTTPURLResponse.localizedString(forStatusCode: status)
            return "\(address): the server answered \(status) (\(phrase))"
        case .network(let reason):
            return "\(address): \(reason); the next attempt will resume \(file).partial"
        case .size(let expected, let actual):
            return "\(address): received \(actual) of \(expected) bytes; try again"
        case .tooLarge(let maximum):
            return "\(address): the server sends more than \(maximum) bytes, the most that"
                + " is accepted for \(file); nothing was kept"
        case .range(let range):
            return "\(address): the server resumed at the wrong position ('\(range)')"
        case .content(let content, let fault, true):
            return "\(address): the server did not send a \(content.name): \(fault); nothing was"
                + " kept"
        case .content(let content, let fault, false):
            return "\(file): is not a \(content.name): \(fault); delete the file to download it"
                + " again"
        case .hash(let expected, let actual, true):
            return "\(address): the server sent a file whose SHA-256 is \(actual), but \(expected) "
                + "is published; nothing was kept"
        case .hash(let expected, let actual, false):
            return "\(file): SHA-256 is \(actual), but \(expected) is published; "
                + "delete the file to download it again"
        case .recordedHash(let expected, let actual, let record, true):
            return "\(address): the server sent a file whose SHA-256 is \(actual), but it was "
                + "\(expected) when first downloaded; nothing was kept. To accept the new file, "
                + "remove the line of \"\(file.lastComponent?.string ?? "")\" from \(record)"
        case .recordedHash(let expected, let actual, let record, false):
            return "\(file): SHA-256 is \(actual), but was \(expected) when first downloaded. "
                + "Delete the file to download it again, or accept it by removing its line from "
                + "\(record)"
        case .disk(.noSpace):
            return "\(file): the disk is full; free some space and start again to resume"
        case .disk(let error):
            return "\(file): cannot be written: \(error)"
        case .storage(let reason):
            return "\(file): \(reason)"
        case .stream(let reason):
            return "\(address): \(reason)"
        case .inUse:
            return "\(file): another process is downloading it; try again afterwards"
        }
    }
}
