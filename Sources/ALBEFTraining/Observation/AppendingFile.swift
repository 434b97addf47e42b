import Storage
import SystemPackage
import Torch

/// A file to which bytes are only appended.
///
/// Each write is one system call, so a killed process leaves at most its last write incomplete.
final class AppendingFile: Sendable {
    let path: FilePath
    private let descriptor: FileDescriptor

    init(_ path: FilePath, isNew: Bool = false) throws(RunError) {
        self.path = path
        var options: FileDescriptor.OpenOptions = [.append, .create, .closeOnExec]
        if isNew { options.insert(.exclusiveCreate) }
        do {
            descriptor = try FileDescriptor.open(
                path, .writeOnly, options: options,
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch {
            throw RunError(path, .system(operation: "open it", error as? Errno ?? .ioError))
        }
    }

    func write(_ bytes: [UInt8]) throws(RunError) {
        do {
            try descriptor.writeAll(bytes)
        } catch {
            throw RunError(path, .system(operation: "write it", error as? Errno ?? .ioError))
        }
    }

    /// Waits until all written bytes are on the disk.
    func flush() throws(RunError) {
        guard fsync(descriptor.rawValue) == 0 else {
            throw RunError(path, .system(operation: "flush it", .current))
        }
    }

    deinit { try? descriptor.close() }
}

extension FilePath {
    /// Returns the bytes of the file at this path, or `nil` if there is no such file.
    package func bytesIfPresent() throws(RunError) -> [UInt8]? {
        do {
            return try contents()
        } catch {
            let errno = error as? Errno ?? .ioError
            if errno == .noSuchFileOrDirectory || errno == .notDirectory { return nil }
            throw RunError(self, .system(operation: "read it", errno))
        }
    }
}
