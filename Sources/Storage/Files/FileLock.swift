package import SystemPackage

/// A lock on a file, which only one process at a time can hold.
///
/// The system releases the lock when the process ends, even if it is killed.
package final class FileLock: Sendable {
    /// Why a file cannot be locked.
    package enum Failure: Error {
        /// Another process holds the lock.
        case held
        /// The file cannot be opened or created.
        case unopened(Errno)
        /// The file system does not support locks.
        case unlockable(Errno)
    }

    private let path: FilePath
    private let file: FileDescriptor

    /// Acquires the lock without waiting for it.
    ///
    /// The file is created if it does not exist.
    ///
    /// - Throws: ``Failure`` if another process holds the lock or the file cannot be locked.
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
            // Another process may have replaced the file between opening and locking.
            if Self.isSame(file, path) {
                self.path = path
                self.file = file
                return
            }
            try? file.close()
        }
    }

    deinit {
        // A child process that has been forked but has not started its program yet holds a copy of
        // the descriptor, so closing alone would not release the lock.
        flock(file.rawValue, LOCK_UN)
        try? file.close()
    }

    /// Whether the locked file is still the one at its path.
    ///
    /// It is not if another process has deleted or replaced the file or its folder.
    package var isInPlace: Bool { Self.isSame(file, path) }

    /// Returns whether an open file is the one at a path.
    static func isSame(_ file: FileDescriptor, _ path: FilePath) -> Bool {
        var (held, found) = (stat(), stat())
        guard fstat(file.rawValue, &held) == 0, stat(path.string, &found) == 0 else {
            return false
        }
        return held.st_dev == found.st_dev && held.st_ino == found.st_ino
    }
}
