package import SystemPackage

/// A lock that one process at a time holds on a file; it ends with its process, even a killed one.
package final class FileLock: Sendable {
    /// Why a file cannot be locked.
    package enum Failure: Error {
        /// Another process holds the lock.
        case held
        /// The file cannot be opened or created.
        case unopened(Errno)
        /// The file system cannot lock.
        case unlockable(Errno)
    }

    private let path: FilePath
    private let file: FileDescriptor

    /// Takes the lock, without waiting for it; creates the file if it does not exist.
    package init(_ path: FilePath) throws(Failure) {
        while true {
            let file: FileDescriptor
            do {
                file = try FileDescriptor.open(
                    path, .readWrite, options: [.create, .closeOnExec],
                    permissions: [.ownerReadWrite, .groupRead, .otherRead])
            } catch {
                throw .unopened(error as? Errno ?? .ioError)
            }
            guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                let errno = Errno(rawValue: errno)
                try? file.close()
                throw errno == .wouldBlock ? .held : .unlockable(errno)
            }
            // Between opening and locking, the file may have been replaced.
            if Self.isSame(file, path) {
                self.path = path
                self.file = file
                return
            }
            try? file.close()
        }
    }

    deinit {
        // Closing alone would leave the lock to a child process that has been forked but not yet
        // started, which has the descriptor too.
        flock(file.rawValue, LOCK_UN)
        try? file.close()
    }

    /// Whether the file that is locked is still the one at its path: the folder may have been
    /// deleted or replaced.
    package var isInPlace: Bool { Self.isSame(file, path) }

    private static func isSame(_ file: FileDescriptor, _ path: FilePath) -> Bool {
        var (held, found) = (stat(), stat())
        guard fstat(file.rawValue, &held) == 0, stat(path.string, &found) == 0 else {
            return false
        }
        return held.st_dev == found.st_dev && held.st_ino == found.st_ino
    }
}
