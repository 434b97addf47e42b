public import SystemPackage

/// Why a file could not be read or written; names the file.
public struct FileError: Error, Sendable, CustomStringConvertible {
    /// The file that the error is about.
    public let file: FilePath
    private let code: Code

    package enum Code: Sendable {
        case system(operation: String, errno: Errno)
        case notAFile
        case empty
        case wrongFormat(String)
        case truncated(what: String, needed: Int, available: Int)
        case malformed(String)
        case limit(what: String, limit: Int)
        /// The file asks for code to be run.
        case refused(name: String)
        case unsupported(String)
        /// A part of the file is to blame; the text names it.
        case part(String)
    }

    package init(_ file: FilePath, _ code: Code) {
        self.file = file
        self.code = code
    }

    /// Whether the file was refused because it asks for code to be run.
    ///
    /// Nothing was run: the readers build tensors and containers, and nothing else.
    public var isRefusal: Bool {
        if case .refused = code { true } else { false }
    }

    /// Whether there was no room on the disk.
    public var isDiskFull: Bool {
        if case .system(_, let errno) = code {
            errno == .noSpace || errno == .diskQuotaExceeded || errno == .fileTooLarge
        } else {
            false
        }
    }

    /// One sentence that starts with the file's path.
    public var description: String { "\(file): \(reason)" }

    /// The same sentence without the file's path.
    public var reason: String {
        switch code {
        case .system(let operation, let errno):
            "cannot \(operation): \(errno)"
        case .notAFile:
            "is not a regular file"
        case .empty:
            "is empty"
        case .wrongFormat(let what), .part(let what):
            what
        case .truncated(let what, let needed, let available):
            "is cut short: \(what) needs \(needed) bytes, \(available) are there"
        case .malformed(let what):
            "is damaged: \(what)"
        case .limit(let what, let limit):
            "is refused: \(what) is over the limit of \(limit)"
        case .refused(let name):
            "is refused: it asks to call \(name), which no file of tensors needs; nothing was run"
        case .unsupported(let what):
            "cannot be read: \(what)"
        }
    }
}
