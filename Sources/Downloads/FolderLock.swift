import Foundation
import SystemPackage

/// A lock that only one task of all processes can hold; it ends with its process.
///
/// The file of the lock is never removed. Otherwise a process that waits for the old file and a
/// process that creates a new one could both hold the lock.
struct FolderLock: Sendable {
    private let descriptor: FileDescriptor

    /// Acquires the lock without waiting; nil if another task or process holds it.
    ///
    /// - Parameter file: the lock's file, which is created if necessary; its folder must exist.
    init?(_ file: FilePath) throws {
        descriptor = try FileDescriptor.open(
            file, .readWrite, options: [.create, .closeOnExec],
            permissions: [.ownerReadWrite, .groupRead, .otherRead])
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let error = Errno(rawValue: errno)
            try? descriptor.close()
            guard error == .wouldBlock else { throw error }
            return nil
        }
    }

    /// Releases the lock.
    func release() {
        // A child process that has been forked but has not started its program yet holds a copy of
        // the descriptor, so closing alone would not release the lock.
        flock(descriptor.rawValue, LOCK_UN)
        try? descriptor.close()
    }
}
