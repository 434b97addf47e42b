public import SystemPackage

/// A file mapped into memory, read-only, until the last reference to it goes away.
///
/// Pages are read when they are first touched, so opening a file of any size is immediate. The
/// mapping is not writable: code that writes through it is stopped by the operating system. A file
/// that another program shortens while it is mapped stops this one as well; replace model files by
/// renaming, as ``AtomicFile`` does, never in place.
public final class MappedFile: Sendable {
    /// The path the file was opened by.
    public let path: FilePath
    /// Length of the file in bytes.
    public let count: Int
    // Written once, in `init`; the bytes behind it are never written.
    nonisolated(unsafe) private let base: UnsafeRawPointer?

    /// Maps a regular file.
    ///
    /// - Throws: ``FileError`` if the file is missing, unreadable or not a regular file.
    public init(_ path: FilePath) throws {
        let (descriptor, count) = try RegularFile.open(path)
        defer { try? descriptor.close() }
        self.path = path
        self.count = count
        guard count > 0 else {
            base = nil
            return
        }
        let pointer = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor.rawValue, 0)
        guard let pointer, pointer != MAP_FAILED else {
            throw FileError(path, .system(operation: "map it", errno: .current))
        }
        base = UnsafeRawPointer(pointer)
    }

    deinit {
        if let base { munmap(UnsafeMutableRawPointer(mutating: base), count) }
    }

    /// Calls a closure with the whole file's bytes, which are valid during the call only.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: base, count: count))
        }
    }

    /// Address of the first byte, nil for an empty file; valid while the object lives.
    package var unsafeBaseAddress: UnsafeRawPointer? { base }
}

extension Errno {
    /// The calling thread's last error.
    package static var current: Errno { Errno(rawValue: errno) }
}
