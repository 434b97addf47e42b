import Foundation
import SystemPackage

/// A lock that one holder among all processes and tasks has; it ends with its process.
///
/// Its file stays: were it removed, a process that waits for the old file and one that makes a new
/// one would both hold a lock.
struct FolderLock: Sendable {
    private let descriptor: FileDescriptor

    /// Takes the lock; nil if somebody else has it.
    ///
    /// - Parameter file: made if it is not there, in a folder that is.
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

    /// Gives it back.
    func release() {
        // Closing alone would leave it to a child process that has been forked but not yet started.
        flock(descriptor.rawValue, LOCK_UN)
        try? descriptor.close()
    }
}
