import Foundation
import Retrieval
import SystemPackage
import Torch

/// Keeps the files of pictures that clients add; names are ours, never theirs.
struct UploadStore: Sendable {
    /// What a replacement is called until the index knows it; no picture's name ends so.
    private static let pending = "new"
    let directory: FilePath

    /// Makes the folder, and drops what a service that was killed had half done.
    init(_ directory: FilePath) throws {
        self.directory = FilePath(URL(filePath: directory.string).standardizedFileURL.path)
        let files = FileManager.default
        try files.createDirectory(
            atPath: directory.string, withIntermediateDirectories: true)
        for name in try files.contentsOfDirectory(atPath: directory.string)
        where name.hasSuffix(".\(Self.pending)") || name.hasSuffix(".tmp") {
            try? files.removeItem(atPath: directory.appending(name).string)
        }
    }

    /// Whether a picture was added by a client.
    func owns(_ path: FilePath) -> Bool { path.starts(with: directory) }

    /// A path that no picture has.
    func newPath(extension name: String) -> FilePath {
        directory.appending("\(UUID().uuidString.lowercased()).\(name)")
    }

    /// Writes a file so that a loss of power does not undo it.
    ///
    /// - Parameter isPending: whether it is to stand beside an older one until ``settle(_:)``.
    /// - Returns: its size and when it was changed, as the index notes them.
    func write(_ bytes: [UInt8], to path: FilePath, isPending: Bool) throws -> FolderScan.File {
        let target = isPending ? pendingPath(path) : path
        try AtomicFile.write(bytes, to: target)
        let scan = try FolderScan.File(target)
        return FolderScan.File(path: path, size: scan.size, modified: scan.modified)
    }

    /// Puts a pending file in the place of the older one.
    func settle(_ path: FilePath) throws {
        guard rename(pendingPath(path).string, path.string) == 0 else {
            throw Errno(rawValue: errno)
        }
        AtomicFile.flushDirectory(directory)
    }

    /// Removes a file, or the pending one beside it.
    func remove(_ path: FilePath, isPending: Bool = false) {
        unlink((isPending ? pendingPath(path) : path).string)
        AtomicFile.flushDirectory(directory)
    }

    private func pendingPath(_ path: FilePath) -> FilePath {
        FilePath("\(path.string).\(Self.pending)")
    }
}
