import Foundation
import SystemPackage

/// The lock that one writer at a time holds; it ends with its process.
///
/// It is held on the file that is at `lock` in the directory, so that a writer whose directory was
/// deleted or replaced can tell.
final class IndexLock: Sendable {
    private let directory: FilePath
    private let path: FilePath
    private let file: FileDescriptor

    /// Takes the lock.
    ///
    /// - Throws: ``IndexError`` if another process has it, the directory is missing, or the file
    ///   system cannot lock.
    init(_ directory: FilePath) throws {
        let path = directory.appending("lock")
        while true {
            let file = try Self.open(path, directory)
            do {
                guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
                    let errno = Errno(rawValue: errno)
                    if errno == .wouldBlock { throw IndexError.locked(directory) }
                    throw IndexError.system(path, "lock it", errno)
                }
            } catch {
                try? file.close()
                throw error
            }
            // Between opening and locking, the file may have been replaced.
            if Self.isSame(file, path) {
                self.directory = directory
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

    /// Checks that the directory is still the one that was locked.
    ///
    /// - Throws: ``IndexError`` if it was deleted or replaced.
    func check() throws {
        guard Self.isSame(file, path) else { throw IndexError.replaced(directory) }
    }

    private static func open(_ path: FilePath, _ directory: FilePath) throws -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch let errno as Errno {
            if errno == .noSuchFileOrDirectory || errno == .notDirectory {
                throw IndexError.missing(directory)
            }
            throw IndexError.system(path, "open it", errno)
        }
    }

    private static func isSame(_ file: FileDescriptor, _ path: FilePath) -> Bool {
        var (held, found) = (stat(), stat())
        guard fstat(file.rawValue, &held) == 0, stat(path.string, &found) == 0 else {
            return false
        }
        return held.st_dev == found.st_dev && held.st_ino == found.st_ino
    }
}
