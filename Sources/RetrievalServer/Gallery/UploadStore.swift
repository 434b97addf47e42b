import Foundation
package import Retrieval
import Storage
package import SystemPackage
import Torch

/// The folder of the images that clients add.
///
/// The service generates the file names and never uses a client's name.
package struct UploadStore: Sendable {
    /// The file extension of a replacement until its entry is committed; no image has it.
    private static let pending = "new"
    /// The name of the file that marks a folder in which the service may delete files.
    private static let marker = ".albef-uploads"

    let directory: FilePath

    /// Opens the folder, and creates it if it is missing.
    ///
    /// It also finishes what a killed service left: a replacement whose entry was committed is moved
    /// into place, and every other unfinished file is deleted.
    ///
    /// - Parameters:
    ///   - directory: The folder.
    ///   - index: The index whose images the folder holds; it need not exist.
    /// - Throws: ``ServerError`` if the folder holds files that the service did not write, or lacks
    ///   the images that the index has in it; an error of the file system.
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
                    "\(directory) holds '\(foreign)', which the service did not write; name a new or"
                        + " empty folder, because the service deletes the files of removed images")
            }
            if names.allSatisfy({ $0 == "lost+found" }),
                let index = try? ForwardIndex(index), try index.has(under: directory)
            {
                throw ServerError.setting(
                    "uploads",
                    "\(directory) \(isThere ? "is empty" : "does not exist"), but the index has"
                        + " images in it; put the folder back, or remove them with"
                        + " 'albef index remove \(index.directory) \(directory)'")
            }
        }
        try files.createDirectory(atPath: directory.string, withIntermediateDirectories: true)
        if !names.contains(Self.marker) {
            // If this fails, as on a full disk, the next start checks the names again.
            try? AtomicFile.write(
                Array("albef serve keeps the images here that clients send.\n".utf8),
                to: directory.appending(Self.marker))
        }
        let unfinished = names.filter { $0.hasSuffix(".\(Self.pending)") || $0.hasSuffix(".tmp") }
        guard !unfinished.isEmpty else { return }
        let known = try? ForwardIndex(index)
        for name in unfinished {
            if !place(name, known) { remove(directory.appending(name)) }
        }
    }

    /// Moves a replacement into place if the index has its entry.
    ///
    /// - Returns: Whether the file was moved.
    private func place(_ name: String, _ index: ForwardIndex?) -> Bool {
        guard let index, let target = target(of: name),
            let id = try? EntryLocator().find(EntryKey(target), in: index),
            let entry = try? index.entry(id),
            let bytes = FileManager.default.contents(atPath: directory.appending(name).string),
            ContentDigest(of: bytes).hexadecimal == entry.sha256
        else { return false }
        return (try? move(directory.appending(name), to: target)) != nil
    }

    /// Returns the path for which a replacement waits; nil for the name of any other file.
    private func target(of name: String) -> FilePath? {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count > 2, parts[parts.count - 1] == Self.pending,
            UUID(uuidString: String(parts[parts.count - 2])) != nil,
            let target = FilePath.Component(parts.dropLast(2).joined(separator: "."))
        else { return nil }
        return directory.appending(target)
    }

    /// Returns whether the service generated a name.
    ///
    /// Folders of earlier versions have no marker, but all their names pass this test.
    private static func isOwn(_ name: String) -> Bool {
        if name.hasPrefix(marker) || name.hasPrefix(".\(marker).") || name == "lost+found" {
            return true
        }
        // The name of an unfinished file is `.NAME.SUFFIX.tmp`.
        let own = name.hasPrefix(".") && name.hasSuffix(".tmp") ? name.dropFirst() : name[...]
        return UUID(uuidString: String(own.prefix { $0 != "." })) != nil
    }

    /// Returns whether a client added the image.
    ///
    /// Paths come from the index, and `..` in one could lead out of the folder.
    package func owns(_ path: FilePath) -> Bool {
        path.lastComponent?.kind == .regular && path.removingLastComponent() == directory
    }

    /// Returns a path that no image has.
    package func newPath(extension name: String) -> FilePath {
        directory.appending("\(UUID().uuidString.lowercased()).\(name)")
    }

    /// Returns a path at which a replacement of an image waits until its entry is committed.
    ///
    /// The name contains that of the image, so that the next service can move the file if this one
    /// is killed after the commit.
    func pendingPath(for image: FilePath) -> FilePath {
        let name = image.lastComponent?.string ?? ""
        return directory.appending("\(name).\(UUID().uuidString.lowercased()).\(Self.pending)")
    }

    /// Writes a file that survives a loss of power.
    ///
    /// - Returns: Its size and time of change, as the index stores them.
    package func write(_ bytes: [UInt8], to path: FilePath) throws -> FolderScan.File {
        try AtomicFile.write(bytes, to: path)
        return try FolderScan.File(path)
    }

    /// Moves a file, and replaces any file at the target.
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
    /// Returns whether the index has an image in a folder.
    ///
    /// - Complexity: O(n) in the number of entries; it stops at the first match.
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
