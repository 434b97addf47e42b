import Storage
internal import Synchronization
internal import SystemPackage

/// The bytes of a regular file, up to the length that it had when it was opened.
final class FileShardStream: ShardStream {
    private let descriptor: FileDescriptor
    private let byteCount: Int64
    private let position = Mutex<Int64>(0)

    /// Opens a file.
    ///
    /// - Throws: ``ShardFault`` if it cannot be opened, or is a folder, a pipe or a device.
    init(_ path: FilePath) throws {
        do {
            let (file, count) = try RegularFile.open(path)
            (descriptor, byteCount) = (file, Int64(count))
        } catch let error as FileError {
            throw ShardFault(error.reason)
        }
    }

    deinit { try? descriptor.close() }

    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        try position.withLock { position in
            let count = Int(min(Int64(buffer.count), byteCount - position))
            guard count > 0 else { return 0 }
            do {
                let read = try descriptor.read(
                    fromAbsoluteOffset: position,
                    into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<count]))
                position += Int64(read)
                return read
            } catch {
                throw ShardFault("cannot be read: \(error)")
            }
        }
    }

    func skip(_ count: Int64) throws -> Int64 {
        position.withLock { position in
            let skipped = min(count, byteCount - position)
            position += skipped
            return skipped
        }
    }

    /// Does nothing, because reading a file waits for no one.
    func cancel() {}
}
