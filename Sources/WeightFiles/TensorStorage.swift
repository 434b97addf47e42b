public import Storage

/// The immutable bytes that tensors view: a region of a mapped file, or separate memory.
///
/// To share the bytes with other code without copying them, pass ``unsafeBaseAddress`` and keep a
/// reference to the storage for as long as that code may read.
public final class TensorStorage: Sendable {
    /// The length in bytes.
    public let byteCount: Int
    // Safe to share: set once in `init`, and nothing writes to the bytes after `init`.
    nonisolated(unsafe) private let base: UnsafeRawPointer
    private let file: MappedFile?

    /// Creates a storage over a region of a mapped file; nil if the region exceeds the file.
    ///
    /// - Parameters:
    ///   - offset: the position of the region in the file, in bytes.
    ///   - byteCount: the length of the region in bytes.
    public convenience init?(file: MappedFile, offset: Int, byteCount: Int) {
        let (end, overflow) = offset.addingReportingOverflow(byteCount)
        guard !overflow, offset >= 0, byteCount >= 0, end <= file.count else { return nil }
        guard byteCount > 0, let start = file.unsafeBaseAddress else {
            self.init(byteCount: 0) { _ in }
            return
        }
        self.init(base: start + offset, byteCount: byteCount, file: file)
    }

    /// Creates a storage in new memory, which is aligned to 64 bytes.
    ///
    /// - Parameter fill: a closure that receives `byteCount` zero bytes and may overwrite them.
    public convenience init(
        byteCount: Int, fill: (UnsafeMutableRawBufferPointer) throws -> Void
    ) rethrows {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: max(byteCount, 1))
        do {
            try fill(UnsafeMutableRawBufferPointer(start: memory, count: byteCount))
        } catch {
            memory.deallocate()
            throw error
        }
        self.init(base: UnsafeRawPointer(memory), byteCount: byteCount, file: nil)
    }

    private init(base: UnsafeRawPointer, byteCount: Int, file: MappedFile?) {
        self.base = base
        self.byteCount = byteCount
        self.file = file
    }

    deinit {
        if file == nil { base.deallocate() }
    }

    /// The address of the first byte, for reading only; valid while the storage is alive.
    public var unsafeBaseAddress: UnsafeRawPointer { base }

    /// Calls `body` with all bytes, which are valid only during the call.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: base, count: byteCount))
        }
    }

    /// Returns the storage if its address is a multiple of `alignment`, otherwise an aligned copy.
    func aligned(to alignment: Int) -> TensorStorage {
        guard UInt(bitPattern: base) % UInt(alignment) != 0 else { return self }
        return TensorStorage(byteCount: byteCount) { memory in
            withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    /// Returns a copy in which the bytes of every element are in reverse order.
    func swappingBytes(elementSize: Int) -> TensorStorage {
        guard elementSize > 1 else { return self }
        return TensorStorage(byteCount: byteCount) { memory in
            withUnsafeBytes { source in
                var start = 0
                while start + elementSize <= byteCount {
                    for index in 0..<elementSize {
                        memory[start + index] = source[start + elementSize - 1 - index]
                    }
                    start += elementSize
                }
            }
        }
    }
}
