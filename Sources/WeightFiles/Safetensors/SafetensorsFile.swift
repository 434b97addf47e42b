import Torch
public import Storage
import OrderedCollections
public import SystemPackage

/// A safetensors file, opened for reading without copying.
///
/// Layout: eight bytes of header length, a JSON header that names each tensor's type, shape and
/// place, then the data without holes. Everything in the header is checked when it is opened; the
/// data is read when it is used.
public struct SafetensorsFile: Sendable {
    /// The path the file was opened by.
    public var path: FilePath { file.path }
    /// The tensors in the order of the header.
    public let tensors: NamedTensors
    /// The strings stored under `__metadata__`.
    public let metadata: [String: String]
    /// Bytes before the data: the length field and the header.
    public let headerByteCount: Int
    private let file: MappedFile

    /// Opens and checks a file.
    ///
    /// - Throws: ``FileError`` if it cannot be read, is cut short or is not well formed.
    public init(_ path: FilePath) throws {
        try self.init(MappedFile(path))
    }

    /// Checks a file that is mapped already.
    public init(_ file: MappedFile) throws {
        guard file.count > 0 else { throw FileError(file.path, .empty) }
        let (header, start) = try file.withUnsafeBytes { bytes in
            var cursor = ByteCursor(bytes, file: file.path)
            let length = try cursor.size("the length of the header")
            guard length <= SafetensorsHeader.maximumByteCount else {
                throw FileError(
                    file.path,
                    .limit(what: "the header", limit: SafetensorsHeader.maximumByteCount))
            }
            let text = try cursor.take(length, "the header")
            return (
                try SafetensorsHeader(text, dataByteCount: cursor.remaining, file: file.path),
                cursor.offset
            )
        }
        var tensors = NamedTensors()
        for (name, entry) in header.entries {
            guard
                let region = TensorStorage(
                    file: file, offset: start + entry.range.lowerBound,
                    byteCount: entry.range.count),
                let tensor = try? StoredTensor(
                    dtype: entry.dtype, shape: entry.shape,
                    // Files of other writers need not be aligned; ours always are.
                    storage: region.aligned(to: entry.dtype.byteCount))
            else { throw FileError(file.path, .tensor(name: name, problem: "is damaged")) }
            tensors[name] = tensor
        }
        self.tensors = tensors
        self.metadata = header.metadata
        self.headerByteCount = start
        self.file = file
    }

    /// The tensor of a name.
    ///
    /// - Throws: ``FileError`` naming the file and the tensor if there is none.
    public func tensor(_ name: String) throws -> StoredTensor {
        guard let tensor = tensors[name] else {
            throw FileError(path, .noTensor(name: name))
        }
        return tensor
    }

    /// Calls a closure with the bytes before the data, which fix every name, type and shape.
    public func withHeaderBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try file.withUnsafeBytes { bytes in
            try body(UnsafeRawBufferPointer(rebasing: bytes[..<headerByteCount]))
        }
    }

    /// SHA-256 of the whole file, in lower-case hexadecimal.
    ///
    /// - Complexity: O(bytes of the file).
    package var sha256: String { file.sha256 }

    /// Calls a closure with the whole file.
    public func withFileBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try file.withUnsafeBytes(body)
    }
}
