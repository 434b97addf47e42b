import Storage
import SystemPackage

/// Bytes that are collected, so that few large pieces are written instead of many small ones.
struct ByteBuffer {
    private static let limit = 1 << 18
    private var bytes: [UInt8] = []

    /// Creates an empty buffer.
    init() {}

    /// Adds bytes, and passes all of them on once they are many.
    mutating func add(
        _ more: UnsafeRawBufferPointer, writingTo write: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        bytes.append(contentsOf: more)
        if bytes.count >= Self.limit { try flush(to: write) }
    }

    /// Passes the collected bytes on.
    mutating func flush(to write: (UnsafeRawBufferPointer) throws -> Void) throws {
        guard !bytes.isEmpty else { return }
        try bytes.withUnsafeBytes(write)
        bytes.removeAll(keepingCapacity: true)
    }
}

/// Labels in an unlinked temporary file: NumPy needs the length of the longest before the first.
///
/// The file disappears with the process, even if that is killed.
final class LabelSpool {
    private let target: FilePath
    private let file: TemporaryFile
    private var descriptor: FileDescriptor { file.descriptor }
    private var buffer = ByteBuffer()
    /// The length of the longest label, in code points.
    private(set) var longest = 0

    /// Creates the file in the folder of the file that will have the labels.
    ///
    /// - Throws: `FileError` that names that file.
    init(beside target: FilePath) throws(FileError) {
        self.target = target
        file = try TemporaryFile(beside: target, label: "labels")
        unlink(file.path.string)
    }

    /// Adds the label of the next row.
    func append(_ label: RowLabel) throws {
        longest = max(longest, label.codePoints.count)
        let length = UInt32(label.bytes.count).littleEndian
        try withUnsafeBytes(of: length) { try buffer.add($0, writingTo: write) }
        try label.bytes.withUnsafeBytes { try buffer.add($0, writingTo: write) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) throws {
        do {
            try descriptor.writeAll(bytes)
        } catch let errno as Errno {
            throw FileError(target, .system(operation: "write a file beside it", errno: errno))
        }
    }

    /// Passes every label to a closure, in order.
    func forEach(_ body: (RowLabel) throws -> Void) throws {
        try buffer.flush(to: write)
        let field = MemoryLayout<UInt32>.size
        var (bytes, place) = ([UInt8](), 0)
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        var offset: Int64 = 0
        /// Reads until `count` bytes follow the place; returns false at the end of the file.
        func has(_ count: Int) throws -> Bool {
            while bytes.count - place < count {
                let found = try read(into: &chunk, at: offset)
                if found == 0 { return false }
                offset += Int64(found)
                bytes.removeFirst(place)
                place = 0
                bytes += chunk[..<found]
            }
            return true
        }
        while try has(field) {
            let length = Int(
                bytes.withUnsafeBytes {
                    $0.loadUnaligned(fromByteOffset: place, as: UInt32.self).littleEndian
                })
            guard try has(field + length) else { return }
            try body(RowLabel(bytes: Array(bytes[(place + field)..<(place + field + length)])))
            place += field + length
        }
    }

    private func read(into chunk: inout [UInt8], at offset: Int64) throws -> Int {
        do {
            return try chunk.withUnsafeMutableBytes {
                try descriptor.read(fromAbsoluteOffset: offset, into: $0)
            }
        } catch let errno as Errno {
            throw FileError(target, .system(operation: "read a file beside it", errno: errno))
        }
    }
}
