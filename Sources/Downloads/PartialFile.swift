import Foundation
import Storage
import SystemPackage

/// An incomplete download, `NAME.partial`, and the record of its origin, `NAME.partial.json`.
///
/// The file is locked while it is open, so that no other process appends to it.
struct PartialFile: Sendable {
    /// The address and the version of the file that is being downloaded.
    struct Origin: Codable, Sendable, Equatable {
        var address: URL
        var entityTag: String?
        var lastModified: String?

        /// The value of the header `If-Range`; nil if the server sent no usable version.
        ///
        /// A weak entity tag is not used, because it does not promise equal bytes.
        var validator: String? {
            if let entityTag, !entityTag.hasPrefix("W/") { return entityTag }
            return lastModified
        }
    }

    let path: FilePath
    /// The number of bytes so far.
    private(set) var size: Int64
    /// The length of the longest file that is taken; nil for any length.
    let maximumBytes: Int64?
    private let descriptor: FileDescriptor

    private static func originPath(_ path: FilePath) -> FilePath { FilePath("\(path).json") }

    /// Opens or creates the partial file of `file`; nil if another process has locked it.
    init?(beside file: FilePath, maximumBytes: Int64? = nil) throws {
        self.maximumBytes = maximumBytes
        path = FilePath("\(file).partial")
        descriptor = try FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        do {
            // Between opening and locking, the previous holder may have renamed the file.
            guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0,
                Self.isSameFile(descriptor, path)
            else {
                try descriptor.close()
                return nil
            }
            size = try descriptor.seek(offset: 0, from: .end)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    /// Returns the origin of the bytes; nil if there are no bytes or the record is missing.
    func origin() -> Origin? {
        guard size > 0,
            let data = try? Data(contentsOf: URL(filePath: Self.originPath(path).string))
        else { return nil }
        return try? JSONDecoder().decode(Origin.self, from: data)
    }

    /// Empties the file and records a new origin.
    mutating func restart(from origin: Origin) throws {
        // In this order, a crash leaves an empty file with an old origin, and never old bytes with
        // a new origin.
        try descriptor.resize(to: 0)
        size = 0
        try AtomicFile.write(JSONEncoder().encode(origin), to: Self.originPath(path))
    }

    /// Appends received bytes.
    mutating func append(_ data: Data) throws {
        try descriptor.write(data, at: &size)
    }

    /// Flushes the finished file to the disk, renames it to `file` and removes the origin.
    func publish(as file: FilePath) throws {
        guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
        guard rename(path.string, file.string) == 0 else { throw Errno(rawValue: errno) }
        AtomicFile.flushDirectory(file.removingLastComponent())
        unlink(Self.originPath(path).string)
    }

    /// Removes the bytes and their origin.
    func discard() {
        unlink(path.string)
        unlink(Self.originPath(path).string)
    }

    /// Unlocks and closes the file, which stays on the disk.
    func close() {
        // A child process that has been forked but has not started its program yet holds a copy of
        // the descriptor, so closing alone would not release the lock.
        flock(descriptor.rawValue, LOCK_UN)
        try? descriptor.close()
    }

    private static func isSameFile(_ descriptor: FileDescriptor, _ path: FilePath) -> Bool {
        var held = stat()
        var named = stat()
        return fstat(descriptor.rawValue, &held) == 0 && stat(path.string, &named) == 0
            && held.st_ino == named.st_ino && held.st_dev == named.st_dev
    }
}

extension FileDescriptor {
    /// Writes received bytes at a place, which moves behind what is written, also if that fails
    /// midway.
    func write(_ data: Data, at place: inout Int64) throws {
        for region in data.regions {
            try region.withUnsafeBytes { bytes in
                var rest = UnsafeRawBufferPointer(bytes)
                while !rest.isEmpty {
                    let count = try write(toAbsoluteOffset: place, rest)
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                    place += Int64(count)
                }
            }
        }
    }
}
