import Storage
public import Torch
public import SystemPackage

/// Writes safetensors files, one tensor after another, without holding them all in memory.
///
/// The file appears complete or not at all. Equal input gives equal bytes: tensors are laid out by
/// falling element size, then by name, and the data starts at a multiple of 64 bytes, so that every
/// tensor of a mapped file is aligned.
public enum SafetensorsWriter {
    /// A tensor to be written.
    public struct Entry {
        /// The tensor's name; unique in a file.
        public let name: String
        /// Type of the elements.
        public let dtype: DType
        /// Length along each dimension.
        public let shape: [Int]
        let bytes: (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

        /// Describes a tensor whose bytes are made when they are needed.
        ///
        /// - Parameter bytes: gives the elements row by row, in one piece or several, by calling
        ///   the closure that it receives; called once, while the file is being written.
        public init(
            name: String, dtype: DType, shape: [Int],
            bytes: @escaping (_ sink: (UnsafeRawBufferPointer) throws -> Void) throws -> Void
        ) {
            self.name = name
            self.dtype = dtype
            self.shape = shape
            self.bytes = bytes
        }

        /// Describes a tensor of another file.
        public init(name: String, tensor: StoredTensor) {
            self.init(name: name, dtype: tensor.dtype, shape: tensor.shape) { sink in
                try tensor.withUnsafeBytes(sink)
            }
        }
    }

    /// Writes a file, replacing one of the same name.
    ///
    /// - Parameters:
    ///   - entries: the tensors, in any order.
    ///   - metadata: strings for `__metadata__`.
    ///   - path: where the file will stand.
    ///   - observe: sees every byte of the file in order, for a checksum.
    /// - Throws: ``FileError`` if the file cannot be written, a name is repeated, or an entry
    ///   gives fewer or more bytes than its shape needs; and whatever an entry's closure throws.
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
                let problem = "gave bytes that do not fill \(entry.dtype) \(entry.shape)"
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

    /// The length field and the JSON text, padded with spaces to a multiple of 64 bytes.
    private static func header(
        of entries: [Entry], metadata: [String: String], path: FilePath
    ) throws -> [UInt8] {
        var members: [String] = []
        if !metadata.isEmpty {
            let pairs = metadata.sorted { $0.key < $1.key }.map {
                "\(JSONValue.quoted($0.key)):\(JSONValue.quoted($0.value))"
            }
            members.append("\"__metadata__\":{\(pairs.joined(separator: ","))}")
        }
        var names: Set<String> = ["__metadata__"]
        var offset = 0
        for entry in entries {
            guard names.insert(entry.name).inserted else {
                throw FileError(
                    path, .tensor(name: entry.name, problem: "has a name that is taken"))
            }
            let (end, overflow) = offset.addingReportingOverflow(
                try byteCount(of: entry, path: path))
            guard !overflow, let type = SafetensorsHeader.names[entry.dtype] else {
                throw FileError(path, .limit(what: "the data", limit: Int.max))
            }
            let shape = entry.shape.map(String.init).joined(separator: ",")
            members.append(
                "\(JSONValue.quoted(entry.name)):{\"dtype\":\"\(type)\",\"shape\":[\(shape)],"
                    + "\"data_offsets\":[\(offset),\(end)]}")
            offset = end
        }
        var text = Array("{\(members.joined(separator: ","))}".utf8)
        text.append(contentsOf: repeatElement(0x20, count: (64 - (text.count + 8) % 64) % 64))
        return withUnsafeBytes(of: UInt64(text.count).littleEndian) { Array($0) } + text
    }
}
