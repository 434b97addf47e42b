public import SystemPackage

/// An error that prevents the indexing of a folder.
public struct FolderError: Error, Sendable, Hashable, CustomStringConvertible {
    private enum Code: Sendable, Hashable { case unreadable, empty, away }

    private let code: Code
    /// The problem and its place, in one line.
    public let description: String

    static func unreadable(_ path: FilePath, _ errno: Errno) -> FolderError {
        FolderError(
            code: .unreadable,
            description: "\(path): cannot be read: \(errno); check the path and its permissions")
    }

    static func empty(_ scan: FolderScan) -> FolderError {
        let count = scan.passedOver.values.reduce(0, +)
        return FolderError(
            code: .empty,
            description: "\(scan.root): contains no images"
                + (count == 0 ? "" : ", only \(count) files of other kinds")
                + "; images have one of the extensions "
                + FolderScan.extensions.sorted().joined(separator: ", "))
    }

    /// Returns the error for images that cannot be read, although the index must be encoded again.
    static func away(
        _ index: FilePath, _ count: Int, _ first: FilePath, _ errno: Errno
    ) -> FolderError {
        FolderError(
            code: .away,
            description: "\(index): \(count) of its images must be encoded again but cannot be"
                + " read, such as \(first): \(errno); restore their folder, or remove them from the"
                + " index with 'albef index remove FOLDER --index \(index)'")
    }
}

/// A file or folder that was skipped.
public struct SkippedFile: Sendable, Hashable {
    /// The path of the file or folder.
    public let path: FilePath
    /// The reason why it was skipped, in one line.
    public let reason: String
}
