import Foundation
import SystemPackage

/// The files from which parsers read, in a folder of this process below `TMPDIR`.
enum Scratch {
    /// The folder.
    static let folder: FilePath = {
        let folder = FilePath(NSTemporaryDirectory())
            .appending("fuzz-\(ProcessInfo.processInfo.processIdentifier)")
        try? FileManager.default.createDirectory(
            atPath: folder.string, withIntermediateDirectories: true)
        return folder
    }()

    /// Writes a file, and returns its path.
    ///
    /// It is a new file each time, because an earlier one may still be mapped.
    static func write(_ bytes: [UInt8], to name: String) throws -> FilePath {
        let path = folder.appending(name)
        unlink(path.string)
        let file = try FileDescriptor.open(
            path, .writeOnly, options: [.create, .truncate],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        try file.closeAfter { _ = try file.writeAll(bytes) }
        return path
    }

    /// Removes a file.
    static func remove(_ name: String) { unlink(folder.appending(name).string) }
}
