import Foundation
import SystemPackage

/// The part of a file that has been downloaded, `NAME.partial`, and where it came from,
/// `NAME.partial.json`.
///
/// While it is open it is locked, so that no other process appends to it.
struct PartialFile: Sendable {
    /// What the server said about the version of the file that is being downloaded.
    struct Origin: Codable, Sendable, Equatable {
        var address: URL
        var entityTag: String?
        var lastModified: String?

        /// What to send as `If-Range`: a weak entity tag does not promise equal bytes.
        var validator: String? {
            if let entityTag, !entityTag.hasPrefix("W/") { return entityTag }
            return lastModified
        }
    }

    let path: FilePath
    /// The bytes present.
    private(set) var size: Int64
    private let descriptor: FileDescriptor

    private static func originPath(_ path: FilePath) -> FilePath { FilePath("\(path).json") }

    /// Opens or creates the partial file beside `file`; `nil` if another process holds it.
    init?(beside file: FilePath) throws {
        path = FilePath("\(file).partial")
        descriptor = try FileDescriptor.open(
            path, .readWrite, options: [.create, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        do {
            // The path may have been renamed by its last holder between opening and locking.
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

    /// Where the bytes came from, if they can be continued.
    func origin() -> Origin? {
        guard size > 0,
            let data = try? Data(contentsOf: URL(filePath: Self.originPath(path).string))
        else { return nil }
        return try? JSONDecoder().decode(Origin.self, from: data)
    }

    /// Empties the file, to be filled from `origin`.
    mutating func restart(from origin: Origin) throws {
        // In this order a crash leaves an empty file with an old origin, never old bytes with a
        // new one.
        try descriptor.resize(to: 0)
        size = 0
        let data = try JSONEncoder().encode(origin)
        try data.write(to: URL(filePath: Self.originPath(path).string), options: .atomic)
    }

    /// Appends bytes as they arrive.
    mutating func append(_ data: Data) throws {
        for region in data.regions {
            try region.withUnsafeBytes { bytes in
                var rest = UnsafeRawBufferPointer(bytes)
                while !rest.isEmpty {
                    let count = try descriptor.write(toAbsoluteOffset: size, rest)
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                    size += Int64(count)
                }
            }
        }
    }

    /// Gives the finished file its name, all or nothing.
    func publish(as file: FilePath) throws {
        guard fsync(descriptor.rawValue) == 0 else { throw Errno(rawValue: errno) }
        guard rename(path.string, file.string) == 0 else { throw Errno(rawValue: errno) }
        unlink(Self.originPath(path).string)
    }

    /// Removes the bytes and their origin.
    func discard() {
        unlink(path.string)
        unlink(Self.originPath(path).string)
    }

    /// Lets go of the file, which stays on disk.
    func close() {
        // Closing alone would leave the lock to a child process that has been forked but not yet
        // started, which has the descriptor too.
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
