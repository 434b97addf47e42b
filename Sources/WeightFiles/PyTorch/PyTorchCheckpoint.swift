import Torch
public import Storage
public import SystemPackage

/// A checkpoint written by PyTorch's `torch.save`, read without running anything in it.
///
/// Reads the zip format of version 1.6 and later and the older format of plain pickles. Tensors
/// are not copied; they keep the file mapped.
public struct PyTorchCheckpoint: Sendable {
    /// The path the file was opened by.
    public let path: FilePath
    /// What the file holds; usually a dictionary.
    public let root: CheckpointValue
    /// How the file is laid out.
    public let format: Format

    /// The layouts that `torch.save` has used.
    public enum Format: Sendable, Hashable {
        /// A zip archive: PyTorch 1.6 and later.
        case zip
        /// Pickles one after another, then the data: before PyTorch 1.6.
        case legacy
    }

    /// Which checksums are compared while opening.
    public enum Checksums: Sendable, Hashable {
        /// None.
        case none
        /// That of the description; the data is not read.
        case description
        /// All, which reads the whole file.
        case all
    }

    /// The limit on the description of the tensors, which holds none of their data.
    static let maximumPickle = 64 << 20

    /// Opens a file.
    ///
    /// - Parameter checksums: what to compare in a zip archive; default its description.
    /// - Throws: ``FileError`` if the file cannot be read, is damaged, is something else, or
    ///   asks for anything but tensors and plain containers (``FileError/isRefusal``).
    public init(_ path: FilePath, checksums: Checksums = .description) throws {
        try self.init(MappedFile(path), checksums: checksums)
    }

    /// Reads a file that is mapped already.
    public init(_ file: MappedFile, checksums: Checksums = .description) throws {
        path = file.path
        switch file.withUnsafeBytes(FileFormat.init(detecting:)) {
        case .zip:
            format = .zip
            root = try PyTorchCheckpoint.readZip(file, checksums: checksums)
        case .legacyPyTorch:
            format = .legacy
            root = try PyTorchCheckpoint.readLegacy(file)
        case .empty:
            throw FileError(file.path, .empty)
        case let other:
            throw FileError(
                file.path, .wrongFormat("is not a PyTorch checkpoint: \(other.description)"))
        }
    }

    private static func readZip(_ file: MappedFile, checksums: Checksums) throws -> CheckpointValue
    {
        let archive = try ZipArchive(file)
        let pickles = archive.entries.keys.filter {
            $0 == "data.pkl" || ($0.hasSuffix("/data.pkl") && $0.split(separator: "/").count == 2)
        }
        guard pickles.count == 1, let name = pickles.first else {
            throw FileError(
                file.path, .wrongFormat("is a zip archive, but not one of torch.save's (data.pkl)"))
        }
        let folder = String(name.dropLast("data.pkl".count))
        if archive.entries["\(folder)constants.pkl"] != nil {
            throw FileError(file.path, .torchScript)
        }
        switch checksums {
        case .none: break
        case .description: try archive.verify(name)
        case .all: for entry in archive.entries.keys.sorted() { try archive.verify(entry) }
        }
        let isBigEndian = try isBigEndian(archive, folder: folder)
        guard let description = archive.storage(name), description.byteCount <= maximumPickle else {
            throw FileError(
                file.path, .limit(what: "the description of the tensors", limit: maximumPickle))
        }
        let pickled = try description.withUnsafeBytes { bytes in
            var cursor = ByteCursor(bytes, file: file.path)
            return try PickleMachine.run(&cursor)
        }
        var storages: [String: TensorStorage] = [:]
        for (key, reference) in pickled.storages {
            guard let raw = archive.storage("\(folder)data/\(key)") else {
                throw FileError(
                    file.path, .malformed("the data of storage \(key) is missing"))
            }
            let size = reference.dtype?.byteCount ?? 1
            guard reference.elementCount == raw.byteCount / size, raw.byteCount % size == 0 else {
                throw FileError(
                    file.path,
                    .malformed(
                        "storage \(key) should hold \(reference.elementCount) elements of \(size) "
                            + "bytes, but \(raw.byteCount) bytes are there"))
            }
            if isBigEndian, reference.dtype == nil {
                throw FileError(
                    file.path, .unsupported("big-endian data without a type"))
            }
            // Data without a type may be viewed as any; 8 suits them all.
            storages[key] =
                isBigEndian
                ? raw.swappingBytes(elementSize: size)
                : raw.aligned(to: reference.dtype?.byteCount ?? 8)
        }
        return try build(pickled, storages, file: file.path)
    }

    static func build(
        _ pickled: Pickled, _ storages: [String: TensorStorage], file: FilePath
    ) throws -> CheckpointValue {
        var builder = CheckpointBuilder(pickled, file: file) { reference in
            guard let storage = storages[reference.key] else {
                throw FileError(
                    file, .malformed("the data of storage \(reference.key) is missing"))
            }
            return storage
        }
        return try builder.build()
    }

    private static func isBigEndian(_ archive: ZipArchive, folder: String) throws -> Bool {
        guard let entry = archive.storage("\(folder)byteorder") else { return false }
        switch entry.withUnsafeBytes({ String(decoding: $0.prefix(16), as: UTF8.self) }) {
        case "little": return false
        case "big": return true
        case let other:
            throw FileError(archive.file.path, .malformed("the byte order \"\(other)\""))
        }
    }
}
