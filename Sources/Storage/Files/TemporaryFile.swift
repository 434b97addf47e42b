package import SystemPackage

/// A hidden file or directory beside the path that it is meant for.
///
/// Whoever uses one holds a lock on it, which ends with the process. What a killed process left
/// behind is therefore found by the next one that writes to the same path, which empties it and
/// uses it again.
package final class TemporaryFile {
    /// The path of the temporary file or directory.
    package let path: FilePath
    /// The open file or directory.
    package let descriptor: FileDescriptor

    /// How many names are tried before a random one.
    ///
    /// Every other user of the same path has a name of its own.
    private static let names = 16

    /// Creates an empty file for reading and writing.
    ///
    /// - Parameters:
    ///   - target: The path that the file is meant for.
    ///   - label: A word that tells files of different uses apart. Default: none.
    /// - Throws: ``FileError`` that names the target if the file cannot be created.
    package convenience init(
        beside target: FilePath, label: String? = nil
    ) throws(FileError) {
        try self.init(beside: target, label: label) { path in
            try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } reopening: { path in
            // A pipe that somebody put there must not be waited for.
            try FileDescriptor.open(
                path, .readWrite, options: [.noFollow, .nonBlocking, .closeOnExec])
        } emptying: { file, _ in
            try file.resize(to: 0)
        }
    }

    /// Creates an empty directory.
    ///
    /// - Parameter target: The path that the directory is meant for.
    /// - Throws: ``FileError`` that names the target if the directory cannot be created.
    package convenience init(directoryBeside target: FilePath) throws(FileError) {
        func open(_ path: FilePath) throws -> FileDescriptor {
            try FileDescriptor.open(
                path, .readOnly, options: [.directory, .noFollow, .closeOnExec])
        }
        try self.init(beside: target, label: nil) { path in
            guard mkdir(path.string, 0o755) == 0 else { throw Errno.current }
            return try open(path)
        } reopening: { path in
            try open(path)
        } emptying: { _, path in
            for name in (try? FileSystem.names(in: path)) ?? [] {
                guard unlink(path.appending(name).string) == 0 else { throw Errno.current }
            }
        }
    }

    private init(
        beside target: FilePath, label: String?,
        creating create: (FilePath) throws -> FileDescriptor,
        reopening reopen: (FilePath) throws -> FileDescriptor,
        emptying empty: (FileDescriptor, FilePath) throws -> Void
    ) throws(FileError) {
        do {
            for number in 0..<Self.names {
                let path = Self.path("\(number)", beside: target, label)
                var (file, isNew) = (FileDescriptor?.none, true)
                do {
                    file = try create(path)
                } catch Errno.fileExists {
                    isNew = false
                    file = try? reopen(path)
                }
                guard let file else { continue }
                if Self.acquires(file, path, isNew: isNew),
                    isNew || (try? empty(file, path)) != nil
                {
                    (self.path, descriptor) = (path, file)
                    return
                }
                try? file.close()
            }
            // There are many users of this path, or other files have these names.
            path = Self.path(
                String(UInt32.random(in: 0 ... .max), radix: 36), beside: target, label)
            descriptor = try create(path)
        } catch {
            let errno = error as? Errno ?? .ioError
            throw FileError(target, .system(operation: "create it", errno: errno))
        }
    }

    private static func path(
        _ suffix: String, beside target: FilePath, _ label: String?
    ) -> FilePath {
        let name = target.lastComponent?.string ?? "file"
        let parts = [name, suffix] + (label.map { [$0] } ?? [])
        return target.removingLastComponent().appending(
            ".\(parts.joined(separator: ".")).tmp")
    }

    /// Locks a file, and returns whether it is nobody else's and still the one at its path.
    private static func acquires(
        _ file: FileDescriptor, _ path: FilePath, isNew: Bool
    ) -> Bool {
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            // On a file system without locks, nobody can take what this process has just created.
            return isNew && Errno.current != .wouldBlock
        }
        return FileLock.isSame(file, path) && (isNew || isOwn(file))
    }

    /// Returns whether a file that was there before is a temporary one of this user.
    private static func isOwn(_ file: FileDescriptor) -> Bool {
        var status = stat()
        guard fstat(file.rawValue, &status) == 0, status.st_uid == geteuid() else { return false }
        let kind = status.st_mode & S_IFMT
        return kind == S_IFDIR || kind == S_IFREG && status.st_nlink == 1
    }

    deinit { try? descriptor.close() }
}
