import Storage
public import SystemPackage
public import Torch

/// A writer of safetensors files, which writes one tensor after another.
///
/// A file appears either complete or not at all. Equal input results in equal bytes: tensors are
/// sorted by decreasing element size, then by name. The data starts at a multiple of 64 bytes, so
/// that every tensor of a mapped file is aligned.
///
/// ```swift
/// try SafetensorsWriter.write([weight.entry(named: "weight")], to: "model.safetensors")
/// ```
public enum SafetensorsWriter {
    /// A tensor to write.
    public struct Entry {
        /// The name, which must be unique in a file.
        public let name: String
        /// The type of the elements.
        public let dtype: DType
        /// The size of each dimension.
        public let shape: [Int]
        let bytes: (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

        /// Creates an entry whose bytes are computed while the file is written.
        ///
        /// - Parameters:
        ///   - name: the name, which must be unique in a file.
        ///   - dtype: the type of the elements.
        ///   - shape: the size of each dimension.
        ///   - bytes: a closure that passes the elements to `sink`, in row-major order and in one
        ///     or more pieces. It is called once.
        public init(
            name: String, dtype: DType, shape: [Int],
            bytes: @escaping (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
        ) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.bytes = bytes
        }

        /// Creates an entry that copies a tensor of another file.
        public init(name: String, tensor: StoredTensor) {
            self.init(name: name, dtype: tensor.dtype, shape: tensor.shape) { sink in
                try tensor.withUnsafeBytes(sink)
            }
        }
    }

    /// Writes a file and replaces an existing one.
    ///
    /// - Parameters:
    ///   - entries: the tensors, in any order.
    ///   - metadata: the strings of `__metadata__`; none by default.
    ///   - path: the path of the file.
    ///   - observe: a closure that receives every byte of the file in order, for a checksum.
    /// - Complexity: O(n) for n bytes, plus O(m log m) for m entries. One piece of one tensor is in
    ///   memory at a time.
    /// - Throws: `FileError` if the file cannot be written, a name is repeated, or an entry has
    ///   more or fewer bytes than its shape needs; also any error of an entry's closure.
    public static func write(
        _ entries: [Entry], metadata: [String: String] = [:], to path: FilePath,
        observe: (UnsafeRawBufferPointer) -> Void = { _ in }
    ) throws {
        let ordered = entries.sorted {
            ($1.dtype.byteCount, $0.name) < ($0.dtype.byteCount, $1.name)
        }
        let header = try header(of: ordered, metadata: metadata, path: path)
        let file = try AtomicFile(path)
        func put(_ bytes: UnsafeRawBufferPointer) throws {
            try file.write(bytes)
            observe(bytes)
        }
        try header.withUnsafeBytes(put)
        for entry in ordered {
            var remaining = try byteCount(of: entry, path: path)
            func fault() -> FileError {
                let problem = "has more or fewer bytes than \(entry.dtype) \(entry.shape) needs"
                return FileError(path, .tensor(name: entry.name, problem: problem))
            }
            try entry.bytes { bytes in
                guard bytes.count <= remaining else { throw fault() }
                remaining -= bytes.count
                try put(bytes)
            }
            guard remaining == 0 else { throw fault() }
        }
        try file.commit()
    }

    private static func byteCount(of entry: Entry, path: FilePath) throws -> Int {
        guard let count = StoredTensor.elementCount(of: entry.shape) else {
            throw FileError(
                path, .tensor(name: entry.name, problem: "has an impossible shape \(entry.shape)"))
        }
        return count * entry.dtype.byteCount
    }

    /// Returns the bytes before the data of the entries.
    private static func header(
        of entries: [Entry], metadata: [String: String], path: FilePath
    ) throws -> [UInt8] {
        var offset = 0
        let rows = try entries.map { entry in
            let (end, overflow) = offset.addingReportingOverflow(
                try byteCount(of: entry, path: path))
            guard !overflow else {
                throw FileError(path, .limit(what: "the length of the data", limit: Int.max))
            }
            defer { offset = end }
            return SafetensorsHeader.Row(
                name: entry.name, dtype: entry.dtype, shape: entry.shape, range: offset..<end)
        }
        return try SafetensorsHeader.bytes(rows, metadata: metadata, file: path)
    }
}
