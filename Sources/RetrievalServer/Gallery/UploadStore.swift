import Foundation
import Retrieval
import SystemPackage
import Torch

/// Keeps the files of pictures that clients add; names are ours, never theirs.
struct UploadStore: Sendable {
    /// What a replacement's name ends in until the index knows it; no picture's does.
    private static let pending = "new"
    let directory: FilePath

    /// Makes the folder, and drops what a service that was killed had half done.
    init(_ directory: FilePath) throws {
        self.directory = directory.absolute
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

    /// Where a replacement of a picture waits until the index knows it.
    func pendingPath() -> FilePath { newPath(extension: Self.pending) }

    /// Writes a file so that a loss of power does not undo it.
    ///
    /// - Returns: its size and when it was changed, as the index notes them.
    func write(_ bytes: [UInt8], to path: FilePath) throws -> FolderScan.File {
        try AtomicFile.write(bytes, to: path)
        return try FolderScan.File(path)
    }

    /// Puts a file in the place of another.
    func move(_ path: FilePath, to target: FilePath) throws {
        guard rename(path.string, target.string) == 0 else { throw Errno(rawValue: errno) }
        AtomicFile.flushDirectory(directory)
    }

    /// Removes a file.
    func remove(_ path: FilePath) {
        unlink(path.string)
        AtomicFile.flushDirectory(directory)
    }
}
