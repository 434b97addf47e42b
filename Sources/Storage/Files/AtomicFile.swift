package import SystemPackage

/// A file that appears under its name either complete or not at all.
///
/// The bytes are written to a temporary file in the same folder and flushed to the disk. Then the
/// temporary file is renamed. A process that is killed on the way leaves the old file untouched,
/// and at worst a temporary file, which the next writer of the same path uses again.
package final class AtomicFile {
    /// The final path.
    package let path: FilePath
    private let temporary: TemporaryFile
    private var descriptor: FileDescriptor { temporary.descriptor }
    private var finished = false

    /// Creates the temporary file.
    ///
    /// - Throws: ``FileError`` if it cannot be created.
    package init(_ path: FilePath) throws(FileError) {
        self.path = path
        temporary = try TemporaryFile(beside: path)
    }

    /// Appends bytes to the temporary file.
    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            try descriptor.writeAll(bytes)
        } catch let errno as Errno {
            throw FileError(path, .system(operation: "write it", errno: errno))
        }
    }

    /// Replaces bytes of the temporary file that were written before, such as a header whose counts
    /// were unknown.
    ///
    /// - Parameter offset: The position of the first byte in the file.
    package func overwrite(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws {
        do {
            try descriptor.writeAll(toAbsoluteOffset: offset, bytes)
        } catch let errno as Errno {
            throw FileError(path, .system(operation: "write it", errno: errno))
        }
    }

    /// Flushes the temporary file to the disk.
    ///
    /// - Throws: ``FileError`` if that fails.
    package func flush() throws {
        guard fsync(descriptor.rawValue) == 0 else {
            throw FileError(path, .system(operation: "flush it", errno: .current))
        }
    }

    /// Flushes the temporary file to the disk and renames it to ``path``.
    ///
    /// An object that is released without a commit deletes its temporary file.
    ///
    /// - Throws: ``FileError`` if the file cannot be flushed or renamed.
    package func commit() throws {
        try flush()
        let (from, to) = (temporary.path.string, path.string)
        guard rename(from, to) == 0 else {
            throw FileError(path, .system(operation: "rename it into place", errno: .current))
        }
        finished = true
        AtomicFile.flushDirectory(path.removingLastComponent())
    }

    deinit {
        // The file is still locked, so nobody else uses it.
        if !finished { unlink(temporary.path.string) }
    }

    /// Makes a rename inside a directory durable, if the file system supports that.
    package static func flushDirectory(_ directory: FilePath) {
        let directory = directory.isEmpty ? FilePath(".") : directory
        guard let descriptor = try? FileDescriptor.open(directory, .readOnly) else { return }
        _ = fsync(descriptor.rawValue)
        try? descriptor.close()
    }

    /// Writes a small file in one call.
    package static func write(_ bytes: some Sequence<UInt8>, to path: FilePath) throws {
        let file = try AtomicFile(path)
        try Array(bytes).withUnsafeBytes { try file.write($0) }
        try file.commit()
    }
}
