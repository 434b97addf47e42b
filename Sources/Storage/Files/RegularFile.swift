package import SystemPackage

/// A way to open files of unknown origin for reading.
///
/// A plain `open` would wait forever on a named pipe without a writer, and a device may never end.
package enum RegularFile {
    /// Opens a file; the caller closes it.
    ///
    /// - Returns: The open file and its length in bytes.
    /// - Throws: ``FileError`` if the file is missing or unreadable, or is a folder, a pipe or
    ///   a device.
    package static func open(_ path: FilePath) throws -> (file: FileDescriptor, byteCount: Int) {
        let file: FileDescriptor
        do {
            file = try FileDescriptor.open(path, .readOnly, options: [.nonBlocking, .closeOnExec])
        } catch let errno as Errno {
            throw FileError(path, .system(operation: "open it", errno: errno))
        }
        do {
            var status = stat()
            guard fstat(file.rawValue, &status) == 0 else {
                throw FileError(path, .system(operation: "examine it", errno: .current))
            }
            guard status.st_mode & S_IFMT == S_IFREG else { throw FileError(path, .notAFile) }
            guard let byteCount = Int(exactly: status.st_size) else {
                throw FileError(path, .malformed("the file system reports an impossible length"))
            }
            return (file, byteCount)
        } catch {
            try? file.close()
            throw error
        }
    }
}
