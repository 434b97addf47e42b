public import SystemPackage

/// A gallery that cannot be indexed at all.
public struct FolderError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case unreadable, empty, away }

    private let code: Code
    /// What is wrong and where, in one line.
    public let description: String

    static func unreadable(_ path: FilePath, _ errno: Errno) -> FolderError {
        FolderError(code: .unreadable, description: "\(path): cannot read it: \(errno)")
    }

    static func empty(_ scan: FolderScan) -> FolderError {
        let count = scan.passedOver.values.reduce(0, +)
        return FolderError(
            code: .empty,
            description: "\(scan.root): no images here"
                + (count == 0 ? "" : ", only \(count) files of other kinds")
                + " (looked for " + FolderScan.extensions.sorted().joined(separator: ", ") + ")")
    }

    /// Files that an index of another model cannot be made without.
    static func away(
        _ index: FilePath, _ count: Int, _ first: FilePath, _ errno: Errno
    ) -> FolderError {
        FolderError(
            code: .away,
            description: "\(index): \(count) of its images cannot be reached to be encoded anew,"
                + " such as \(first): \(errno); put their folder back, or forget them with"
                + " 'albef index remove FOLDER --index \(index)'")
    }
}

/// A file or folder that was skipped.
public struct SkippedFile: Sendable, Hashable {
    /// Where it is.
    public let path: FilePath
    /// Why it was skipped, in one line.
    public let reason: String
}
