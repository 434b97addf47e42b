public import Storage

/// Bytes that tensors are views of: a region of a mapped file, or memory of their own.
///
/// Immutable. To hand the bytes to other code without copying them, pass
/// ``unsafeBaseAddress`` and keep a reference to the storage for as long as that code may read.
public final class TensorStorage: Sendable {
    /// Length in bytes.
    public let byteCount: Int
    // Written once, in `init`; the bytes behind it are written only before `init` returns.
    nonisolated(unsafe) private let base: UnsafeRawPointer
    private let file: MappedFile?

    /// A region of a mapped file; nil if the region does not lie inside the file.
    public convenience init?(file: MappedFile, offset: Int, byteCount: Int) {
        let (end, overflow) = offset.addingReportingOverflow(byteCount)
        guard !overflow, offset >= 0, byteCount >= 0, end <= file.count else { return nil }
        guard byteCount > 0, let start = file.unsafeBaseAddress else {
            self.init(byteCount: 0) { _ in }
            return
        }
        self.init(base: start + offset, byteCount: byteCount, file: file)
    }

    /// Memory of its own, aligned to 64 bytes, filled by a closure before anyone can read it.
    ///
    /// - Parameter fill: receives `byteCount` zero bytes.
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

    /// Address of the first byte; valid while the storage lives, and read-only.
    public var unsafeBaseAddress: UnsafeRawPointer { base }

    /// Calls a closure with all the bytes, which are valid during the call only.
    public func withUnsafeBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try withExtendedLifetime(self) {
            try body(UnsafeRawBufferPointer(start: base, count: byteCount))
        }
    }

    /// The same bytes at an address that is a multiple of `alignment`; a copy only if need be.
    func aligned(to alignment: Int) -> TensorStorage {
        guard UInt(bitPattern: base) % UInt(alignment) != 0 else { return self }
        return TensorStorage(byteCount: byteCount) { memory in
            withUnsafeBytes { memory.copyMemory(from: $0) }
        }
    }

    /// A copy in which the bytes of every element stand in the opposite order.
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
