import OrderedCollections
public import Storage
public import SystemPackage
import Torch

/// A safetensors file, whose tensors are read without copying them.
///
/// The file starts with the length of the header in eight bytes. A JSON header follows, with the
/// type, the shape and the position of each tensor, and then the data without gaps. Opening a file
/// checks the whole header. The data is read when it is used.
///
/// ```swift
/// let file = try SafetensorsFile("model.safetensors")
/// let weight = try Tensor(file.tensor("visual_encoder.pos_embed"))
/// ```
public struct SafetensorsFile: Sendable {
    /// The path with which the file was opened.
    public var path: FilePath { file.path }
    /// The tensors in the order of the header.
    public let tensors: NamedTensors
    /// The strings stored under `__metadata__`.
    public let metadata: [String: String]
    /// The number of bytes before the data: the length field and the header.
    public let headerByteCount: Int
    private let file: MappedFile

    /// Opens a file and checks its header.
    ///
    /// - Throws: `FileError` if the file cannot be read, is cut short or is malformed.
    public init(_ path: FilePath) throws {
        try self.init(MappedFile(path))
    }

    /// Checks the header of a mapped file.
    ///
    /// - Throws: `FileError` if the file is cut short or malformed.
    public init(_ file: MappedFile) throws {
        guard file.count > 0 else { throw FileError(file.path, .empty) }
        let (header, start) = try file.withUnsafeBytes { bytes in
            var cursor = ByteCursor(bytes, file: file.path)
            let length = try cursor.size("the length of the header")
            guard length <= SafetensorsHeader.maximumByteCount else {
                throw FileError(
                    file.path,
                    .limit(
                        what: "the length of the header in bytes",
                        limit: SafetensorsHeader.maximumByteCount))
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
                    // Other writers need not align their tensors; ours does.
                    storage: region.aligned(to: entry.dtype.byteCount))
            else { throw FileError(file.path, .tensor(name: name, problem: "is damaged")) }
            tensors[name] = tensor
        }
        self.tensors = tensors
        self.metadata = header.metadata
        self.headerByteCount = start
        self.file = file
    }

    /// Returns the tensor of a name.
    ///
    /// - Throws: `FileError` that names the tensor if it is missing.
    public func tensor(_ name: String) throws -> StoredTensor {
        guard let tensor = tensors[name] else {
            throw FileError(path, .noTensor(name: name))
        }
        return tensor
    }

    /// The SHA-256 digest of the whole file, in lower-case hexadecimal.
    ///
    /// - Complexity: O(n) for a file of n bytes; reads all of it on every access.
    package var sha256: String { file.sha256 }

    /// Calls `body` with the bytes of the whole file.
    public func withFileBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try file.withUnsafeBytes(body)
    }
}
