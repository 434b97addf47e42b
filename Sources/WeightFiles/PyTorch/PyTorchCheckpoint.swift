public import Storage
public import SystemPackage
import Torch

/// A checkpoint of PyTorch's `torch.save`, which is read without running any of its code.
///
/// Both formats are supported: the zip archives of PyTorch 1.6 and later, and the plain pickles of
/// earlier versions. Tensors are not copied; they keep the file mapped.
///
/// ```swift
/// let file = try PyTorchCheckpoint("checkpoint_29.pth")
/// let epoch = file.root.dictionary?["epoch"]?.int
/// ```
public struct PyTorchCheckpoint: Sendable {
    /// The path with which the file was opened.
    public let path: FilePath
    /// The content, which is usually a dictionary.
    public let root: CheckpointValue
    /// The layout of the file.
    public let format: Format

    /// The layouts that `torch.save` has used.
    public enum Format: Sendable, Hashable {
        /// A zip archive: PyTorch 1.6 and later.
        case zip
        /// A sequence of pickles and then the data: before PyTorch 1.6.
        case legacy
    }

    /// The checksums of a zip archive that are verified when it is opened.
    public enum Checksums: Sendable, Hashable {
        /// No checksum.
        case none
        /// The checksum of the description of the tensors; their data is not read.
        case description
        /// All checksums, which requires reading the whole file.
        case all
    }

    /// The limit for the description of the tensors without their data, in bytes.
    static let maximumPickle = 64 << 20

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: the file, in either format.
    ///   - checksums: the checksums to verify in a zip archive; only that of the description by
    ///     default.
    /// - Throws: `FileError` if the file cannot be read, is damaged or has another format, or if
    ///   it asks the reader to run code (`FileError.isRefusal`).
    public init(_ path: FilePath, checksums: Checksums = .description) throws {
        try self.init(MappedFile(path), checksums: checksums)
    }

    /// Reads a mapped file.
    ///
    /// - Throws: `FileError` if the file is damaged, has another format, or asks the reader to run
    ///   code (`FileError.isRefusal`).
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
                file.path,
                .wrongFormat("is a zip archive, but without the data.pkl that torch.save writes"))
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
                file.path,
                .limit(
                    what: "the length of the description of the tensors in bytes",
                    limit: maximumPickle))
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
                            + "bytes, but has \(raw.byteCount) bytes"))
            }
            if isBigEndian, reference.dtype == nil {
                throw FileError(
                    file.path, .unsupported("it has big-endian data without a type"))
            }
            // Tensors may view untyped data as any type; an alignment of 8 suits all of them.
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
            throw FileError(
                archive.file.path, .malformed("the byte order \"\(other)\" is unknown"))
        }
    }
}
