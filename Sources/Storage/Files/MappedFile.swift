public import SystemPackage

/// A file that is mapped into memory for reading until the last reference to it is released.
///
/// The system reads a page when it is first touched, so opening is immediate for a file of any
/// size. The mapping is read-only: a write through it ends the process. So does reading a mapped
/// file that another program has shortened; see `MappedFileFault`. Replace model files by renaming,
/// as `AtomicFile` does, and never in place.
public final class MappedFile: Sendable {
    /// The path with which the file was opened.
    public let path: FilePath
    /// The length of the file in bytes.
    public let count: Int
    // Safe to share: set once in `init`, and nothing writes to the bytes.
    nonisolated(unsafe) private let base: UnsafeRawPointer?

    /// Maps a regular file.
    ///
    /// - Complexity: O(1); no bytes are read.
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

    /// Calls `body` with the bytes of the whole file, which are valid only during the call.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: base, count: count))
        }
    }

    /// The address of the first byte, or nil for an empty file.
    ///
    /// It is valid only while this object is alive.
    package var unsafeBaseAddress: UnsafeRawPointer? { base }
}

extension Errno {
    /// The calling thread's last error.
    package static var current: Errno { Errno(rawValue: errno) }
}
