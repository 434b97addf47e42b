import SystemPackage
import Torch

#if canImport(Darwin)
    import Darwin
#elseif canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Keeps every other process from training in a run's directory for as long as this value lives.
///
/// The lock belongs to the process: the system releases it even if the process is killed. Reading a
/// run, for a report or a search, needs no lock.
final class RunLock: Sendable {
    private let file: FileDescriptor

    /// Locks a directory, which must exist.
    ///
    /// - Throws: ``TrainingError`` that names the run if another process trains in it, or if its
    ///   file system cannot lock.
    init(_ directory: FilePath) throws(TrainingError) {
        let path = directory.appending("lock")
        do {
            file = try FileDescriptor.open(
                path, .readWrite, options: [.create, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
            throw .settingsFile(path.string, "cannot be opened: \(error)")
        }
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let errno = Errno.current
            try? file.close()
            if errno == .wouldBlock { throw .locked(directory.string) }
            throw .settingsFile(path.string, "cannot be locked: \(errno)")
        }
    }

    deinit {
        // A child process that was forked and not yet started shares the descriptor: closing alone
        // would leave the lock to it.
        flock(file.rawValue, LOCK_UN)
        try? file.close()
    }
}
