import Storage
import SystemPackage
import Torch

/// Writes arrays whose numbers of rows become known at their ends, in one of the formats.
///
/// A layout writes provisional headers of their final lengths first, and overwrites them at the end.
protocol ArrayLayout {
    /// Writes what stands before the rows of an array.
    mutating func begin(_ array: RowArray, in file: AtomicFile) throws
    /// Takes notice of bytes that were written.
    mutating func count(_ bytes: UnsafeRawBufferPointer)
    /// Writes what stands after the rows of the last array that was begun.
    mutating func end(_ array: RowArray, rows: Int, labels: [LabelSpool], in file: AtomicFile)
        throws
    /// Writes what stands after the last array.
    mutating func finish(in file: AtomicFile) throws
}

extension AtomicFile {
    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    func overwrite(_ bytes: [UInt8], at offset: Int) throws {
        try bytes.withUnsafeBytes { try overwrite($0, at: Int64(offset)) }
    }
}

extension RowArray {
    /// NumPy's name of the type.
    ///
    /// - Throws: `FileError` if NumPy has no such type, or not so many dimensions.
    func numpyType(in file: FilePath) throws -> String {
        guard let type = NPYHeader.types[dtype] else {
            throw FileError(file, .tensor(name: name, problem: "is \(dtype), which NumPy lacks"))
        }
        guard rowShape.count < NPYHeader.mostDimensions else {
            throw FileError(
                file,
                .tensor(
                    name: name,
                    problem: "has more than the \(NPYHeader.mostDimensions) dimensions of NumPy"))
        }
        return type
    }
}

/// The layout of a `.npy` file: a header, and the rows of one array.
struct NPYLayout: ArrayLayout {
    func begin(_ array: RowArray, in file: AtomicFile) throws {
        try file.write(
            NPYHeader.bytes(
                type: array.numpyType(in: file.path), rows: 0, rowShape: array.rowShape))
    }

    func count(_ bytes: UnsafeRawBufferPointer) {}

    func end(_ array: RowArray, rows: Int, labels: [LabelSpool], in file: AtomicFile) throws {
        let type = try array.numpyType(in: file.path)
        try file.overwrite(
            NPYHeader.bytes(type: type, rows: rows, rowShape: array.rowShape), at: 0)
    }

    func finish(in file: AtomicFile) {}
}

/// The layout of a `.npz` file: a zip archive with one `.npy` member per array, and one per kind of
/// label.
struct NPZLayout: ArrayLayout {
    private var members: [ZipMember] = []
    private var offset = 0
    /// The checksum and the number of the bytes of the rows.
    private var rows = (checksum: CRC32(), byteCount: 0)

    /// Creates an empty archive.
    init() {}

    mutating func begin(_ array: RowArray, in file: AtomicFile) throws {
        try begin(
            array.name,
            NPYHeader.bytes(
                type: array.numpyType(in: file.path), rows: 0, rowShape: array.rowShape), in: file)
    }

    mutating func count(_ bytes: UnsafeRawBufferPointer) {
        rows.checksum.update(bytes)
        rows.byteCount += bytes.count
    }

    mutating func end(
        _ array: RowArray, rows count: Int, labels: [LabelSpool], in file: AtomicFile
    ) throws {
        let type = try array.numpyType(in: file.path)
        try end(NPYHeader.bytes(type: type, rows: count, rowShape: array.rowShape), in: file)
        for (column, spool) in zip(array.labels, labels) {
            let header = NPYHeader.bytes(
                type: NPYHeader.textType(length: spool.longest), rows: count, rowShape: [])
            try begin(column.name, header, in: file)
            let length = max(1, spool.longest)
            var texts = ByteBuffer()
            func write(_ bytes: UnsafeRawBufferPointer) throws {
                try file.write(bytes)
                self.count(bytes)
            }
            try spool.forEach { label in
                let points = label.codePoints
                let padding = repeatElement(UInt32(0), count: length - points.count)
                try (points + padding).withUnsafeBytes { try texts.add($0, writingTo: write) }
            }
            try texts.flush(to: write)
            try end(header, in: file)
        }
    }

    func finish(in file: AtomicFile) throws {
        try file.write(ZipMember.directory(members, at: offset))
    }

    /// Begins a member with the header of its array, of which only the length must be right yet.
    private mutating func begin(_ name: String, _ header: [UInt8], in file: AtomicFile) throws {
        let member = ZipMember(name: "\(name).npy", offset: offset)
        members.append(member)
        rows = (CRC32(), 0)
        try file.write(member.header + header)
        offset += member.header.count + header.count
    }

    /// Ends the last member, and writes its headers as they must be.
    private mutating func end(_ header: [UInt8], in file: AtomicFile) throws {
        guard var member = members.popLast() else { return }
        var checksum = CRC32()
        header.withUnsafeBytes { checksum.update($0) }
        checksum.append(rows.checksum, count: rows.byteCount)
        member.checksum = checksum.value
        member.byteCount = header.count + rows.byteCount
        members.append(member)
        offset += rows.byteCount
        try file.overwrite(member.header + header, at: member.offset)
    }
}

/// The layout of a safetensors file: one header for all arrays, and their rows without gaps.
struct SafetensorsLayout: ArrayLayout {
    private let metadata: [String: String]
    private let headerByteCount: Int
    private var arrays: [(array: RowArray, rows: Int)] = []

    /// Reserves space for the header.
    init(_ arrays: [RowArray], metadata: [String: String], in file: AtomicFile) throws {
        self.metadata = metadata
        // Numbers of the most digits.
        let most = arrays.map { array in
            SafetensorsHeader.Row(
                name: array.name, dtype: array.dtype, shape: [.max] + array.rowShape,
                range: .max ..< .max)
        }
        headerByteCount = try SafetensorsHeader.bytes(most, metadata: metadata, file: file.path)
            .count
        try file.write([UInt8](repeating: 0, count: headerByteCount))
    }

    func begin(_ array: RowArray, in file: AtomicFile) {}

    func count(_ bytes: UnsafeRawBufferPointer) {}

    mutating func end(
        _ array: RowArray, rows: Int, labels: [LabelSpool], in file: AtomicFile
    ) {
        arrays.append((array, rows))
    }

    func finish(in file: AtomicFile) throws {
        var offset = 0
        let rows = arrays.map { array, rows in
            let end = offset + rows * array.rowByteCount
            defer { offset = end }
            return SafetensorsHeader.Row(
                name: array.name, dtype: array.dtype, shape: [rows] + array.rowShape,
                range: offset..<end)
        }
        try file.overwrite(
            SafetensorsHeader.bytes(
                rows, metadata: metadata, byteCount: headerByteCount, file: file.path), at: 0)
    }
}
