import Storage
import Foundation
package import Retrieval
package import SystemPackage
import Torch

/// Keeps the files of images that clients add.
///
/// The service chooses the file names; a client's name is never used.
package struct UploadStore: Sendable {
    /// What a replacement's name ends in until the index knows it; no image's name does.
    private static let pending = "new"
    /// Says that a folder is the service's own, so that it may delete files there.
    private static let marker = ".albef-uploads"

    let directory: FilePath

    /// Opens the folder, makes it if need be, and drops what a service that was killed had half
    /// done.
    ///
    /// - Parameter index: the index beside it, where there is one.
    /// - Throws: ``ServerError`` if the folder holds somebody else's files, or is empty although
    ///   the index has images in it; an error of the file system.
    package init(_ directory: FilePath, index: FilePath) throws {
        let directory = directory.absolute
        self.directory = directory
        let files = FileManager.default
        let isThere = files.fileExists(atPath: directory.string)
        let names = isThere ? try files.contentsOfDirectory(atPath: directory.string) : []
        if !names.contains(Self.marker) {
            if let foreign = names.sorted().first(where: { !Self.isOwn($0) }) {
                throw ServerError.setting(
                    "uploads",
                    "\(directory) holds '\(foreign)', which the service did not put there;"
                        + " name a new or an empty folder, because files in it are deleted with"
                        + " their images")
            }
            if names.allSatisfy({ $0 == "lost+found" }),
                let index = try? ForwardIndex(index), try index.has(under: directory)
            {
                throw ServerError.setting(
                    "uploads",
                    "\(directory) \(isThere ? "is empty" : "is not there"), but the index has"
                        + " images in it; put the folder back, or remove them with"
                        + " 'albef index remove \(index.directory) \(directory)'")
            }
        }
        try files.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        if !names.contains(Self.marker) {
            // On a full disk the next start looks at the names again.
            try? AtomicFile.write(
                Array("albef serve keeps the images here that clients send.\n".utf8),
                to: directory.appending(Self.marker))
        }
        for name in names where name.hasSuffix(".\(Self.pending)") || name.hasSuffix(".tmp") {
            try? files.removeItem(atPath: directory.appending(name).string)
        }
    }

    /// Whether a name is one that the service gives, as all in a folder of an earlier version are.
    private static func isOwn(_ name: String) -> Bool {
        if name.hasPrefix(marker) || name.hasPrefix(".\(marker).") || name == "lost+found" {
            return true
        }
        // A file on its way: .NAME.SUFFIX.tmp
        let own = name.hasPrefix(".") && name.hasSuffix(".tmp") ? name.dropFirst() : name[...]
        return UUID(uuidString: String(own.prefix { $0 != "." })) != nil
    }

    /// Whether an image was added by a client.
    func owns(_ path: FilePath) -> Bool { path.starts(with: directory) }

    /// A path that no image has.
    package func newPath(extension name: String) -> FilePath {
        directory.appending("\(UUID().uuidString.lowercased()).\(name)")
    }

    /// Where a replacement of an image waits until the index knows it.
    package func pendingPath() -> FilePath { newPath(extension: Self.pending) }

    /// Writes a file so that a loss of power does not undo it.
    ///
    /// - Returns: its size and when it was changed, as the index notes them.
    package func write(_ bytes: [UInt8], to path: FilePath) throws -> FolderScan.File {
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

extension ForwardIndex {
    /// Whether an entry's file is in a folder.
    ///
    /// - Complexity: reads entries until one is.
    func has(under folder: FilePath) throws -> Bool {
        for start in stride(from: 0, to: count, by: 1024) {
            for id in ids(skipping: start, count: 1024)
            where try entry(id).path.starts(with: folder) {
                return true
            }
        }
        return false
    }
}
