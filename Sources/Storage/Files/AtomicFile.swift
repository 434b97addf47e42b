package import SystemPackage

/// A file that appears under its name complete or not at all.
///
/// Written under a temporary name beside the final one, flushed to the disk, then renamed. A
/// process killed on the way leaves the old file as it was, and at worst a temporary one.
package final class AtomicFile {
    package let path: FilePath
    private let temporary: FilePath
    private let descriptor: FileDescriptor
    private var finished = false

    package init(_ path: FilePath) throws {
        let suffix = String(UInt32.random(in: 0 ... .max), radix: 36)
        let name = path.lastComponent?.string ?? "file"
        self.path = path
        temporary = path.removingLastComponent().appending(".\(name).\(suffix).tmp")
        do {
            descriptor = try FileDescriptor.open(
                temporary, .writeOnly, options: [.create, .exclusiveCreate, .closeOnExec],
                permissions: [.ownerReadWrite, .groupRead, .otherRead])
        } catch let errno as Errno {
            throw FileError(path, .system(operation: "create it", errno: errno))
        }
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            try descriptor.writeAll(bytes)
        } catch let errno as Errno {
            throw FileError(path, .system(operation: "write it", errno: errno))
        }
    }

    /// Flushes the data and gives the file its name.
    package func commit() throws {
        guard fsync(descriptor.rawValue) == 0 else {
            throw FileError(path, .system(operation: "flush it", errno: .current))
        }
        let (from, to) = (temporary.string, path.string)
        guard rename(from, to) == 0 else {
            throw FileError(path, .system(operation: "rename it into place", errno: .current))
        }
        finished = true
        AtomicFile.flushDirectory(path.removingLastComponent())
    }

    deinit {
        try? descriptor.close()
        if !finished { unlink(temporary.string) }
    }

    /// Makes a rename inside a directory durable, where the file system can.
    package static func flushDirectory(_ directory: FilePath) {
        let directory = directory.isEmpty ? FilePath(".") : directory
        guard let descriptor = try? FileDescriptor.open(directory, .readOnly) else { return }
        _ = fsync(descriptor.rawValue)
        try? descriptor.close()
    }

    /// Writes a whole small file.
    package static func write(_ bytes: some Sequence<UInt8>, to path: FilePath) throws {
        let file = try AtomicFile(path)
        try Array(bytes).withUnsafeBytes { try file.write($0) }
        try file.commit()
    }
}
