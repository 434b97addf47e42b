package import SystemPackage

/// Operations on folders and their entries.
package enum FileSystem {
    /// Returns whether a file exists at `path`, following links.
    package static func exists(_ path: FilePath) -> Bool { access(path.string, F_OK) == 0 }

    /// Returns whether `path` is a directory, following links.
    package static func isDirectory(_ path: FilePath) -> Bool {
        var status = stat()
        return stat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Returns whether `path` itself is a symbolic link.
    package static func isLink(_ path: FilePath) -> Bool {
        var status = stat()
        return lstat(path.string, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
    }

    /// Returns the names in a directory, sorted, without `.` and `..`.
    ///
    /// - Throws: ``FileError`` if the directory cannot be opened or listing it fails on the way.
    package static func names(in path: FilePath) throws -> [String] {
        let listing: FolderListing
        do {
            listing = try FolderListing(path)
        } catch {
            throw FileError(path, .system(operation: "list it", errno: error))
        }
        if let errno = listing.error {
            throw FileError(path, .system(operation: "list it", errno: errno))
        }
        return listing.items.map(\.name.string)
    }

    /// Renames `path` to `target` and makes the change durable.
    ///
    /// - Throws: ``FileError`` that names `target`.
    package static func rename(_ path: FilePath, to target: FilePath) throws {
        guard renameat(AT_FDCWD, path.string, AT_FDCWD, target.string) == 0 else {
            throw FileError(
                target, .system(operation: "rename it into place", errno: .current))
        }
        AtomicFile.flushDirectory(target.removingLastComponent())
    }

    /// Exchanges two directories in one atomic step.
    ///
    /// - Returns: false if the system or the file system does not support this.
    /// - Throws: ``FileError`` that names `target` if the exchange fails for another reason.
    package static func exchange(_ path: FilePath, with target: FilePath) throws -> Bool {
        let result: Int32
        #if canImport(Darwin)
            result = renamex_np(path.string, target.string, UInt32(RENAME_SWAP))
        #else
            // Not every C library has this function, and the headers of the others hide it.
            typealias Rename =
                @convention(c) (
                    Int32, UnsafePointer<CChar>, Int32, UnsafePointer<CChar>, UInt32
                ) -> Int32
            guard let symbol = dlsym(nil, "renameat2") else { return false }
            let rename = unsafeBitCast(symbol, to: Rename.self)
            let exchanging: UInt32 = 2
            result = rename(AT_FDCWD, path.string, AT_FDCWD, target.string, exchanging)
        #endif
        guard result == 0 else {
            let errno = Errno.current
            if [.invalidArgument, .notSupported, .noFunction].contains(errno) { return false }
            throw FileError(target, .system(operation: "replace it", errno: errno))
        }
        AtomicFile.flushDirectory(target.removingLastComponent())
        return true
    }

    /// Deletes the named files of a directory, and then the directory if it is empty.
    ///
    /// Failures are ignored.
    package static func removeDirectory(_ path: FilePath, files: [String]) {
        for name in files { unlink(path.appending(name).string) }
        rmdir(path.string)
    }
}
