public import SystemPackage

/// An error that names a file and the reason why it could not be read or written.
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
        /// The file asks the reader to run code.
        case refused(name: String)
        case unsupported(String)
        /// One part of the file is wrong; the text names it.
        case part(String)
    }

    package init(_ file: FilePath, _ code: Code) {
        self.file = file
        self.code = code
    }

    /// Whether the file was refused because it asks the reader to run code.
    ///
    /// Nothing was run: the readers only build tensors and containers.
    public var isRefusal: Bool {
        if case .refused = code { true } else { false }
    }

    /// Whether the file did not fit on the disk, into the quota or under the limit of file sizes.
    public var isDiskFull: Bool {
        if case .system(_, let errno) = code {
            errno == .noSpace || errno == .diskQuotaExceeded || errno == .fileTooLarge
        } else {
            false
        }
    }

    /// The file's path, a colon and the ``reason``.
    public var description: String { "\(file): \(reason)" }

    /// The reason, as a sentence whose subject is the file.
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
            "is cut short: \(what) needs \(needed) bytes, but only \(available) remain"
        case .malformed(let what):
            "is damaged: \(what)"
        case .limit(let what, let limit):
            "is refused: \(what) exceeds the limit of \(limit)"
        case .refused(let name):
            "is refused: it asks to call \(name), which no file of tensors needs; nothing was run"
        case .unsupported(let what):
            "cannot be read: \(what)"
        }
    }
}
