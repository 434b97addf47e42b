import Storage
public import SystemPackage

/// A file of tensors in any supported format.
///
/// ```swift
/// let file = try TensorFile.open("checkpoint.pth")
/// let state = file.root.dictionary?["model"]?.dictionary?.tensors
/// ```
public enum TensorFile: Sendable {
    /// A safetensors file.
    case safetensors(SafetensorsFile)
    /// A PyTorch checkpoint.
    case pyTorch(PyTorchCheckpoint)
    /// Several files of either kind, with an index.
    case sharded(ShardedCheckpoint)

    /// Opens a file; its content decides the format, not its name.
    ///
    /// - Parameter path: a checkpoint, the index of a checkpoint in several files
    ///   (`model.safetensors.index.json`), or a folder with one of these.
    /// - Throws: `FileError` if the file cannot be read, is damaged or has another format.
    public static func open(_ path: FilePath) throws -> TensorFile {
        if let inside = try ShardedCheckpoint.checkpoint(inFolder: path) {
            return try open(file: inside)
        }
        return try open(file: path)
    }

    private static func open(file path: FilePath) throws -> TensorFile {
        let file = try MappedFile(path)
        switch file.withUnsafeBytes(FileFormat.init(detecting:)) {
        case .json: return .sharded(try ShardedCheckpoint(file))
        case .safetensors: return .safetensors(try SafetensorsFile(file))
        case .zip, .legacyPyTorch: return .pyTorch(try PyTorchCheckpoint(file))
        case .empty: throw FileError(path, .empty)
        case .other(let what):
            throw FileError(
                path,
                .wrongFormat("is neither a PyTorch checkpoint nor a safetensors file: \(what)"))
        }
    }

    /// Checks whether a file looks like one complete checkpoint, without reading its weights.
    ///
    /// The check finds web pages and incomplete downloads.
    ///
    /// - Returns: the fault in words; nil if the check finds none.
    package static func fault(of path: FilePath) -> String? {
        do {
            let file = try MappedFile(path)
            switch file.withUnsafeBytes(FileFormat.init(detecting:)) {
            case .zip: _ = try ZipArchive(file)
            case .safetensors: _ = try SafetensorsFile(file)
            case .legacyPyTorch: break
            case let other: return other.description
            }
            return nil
        } catch {
            return (error as? FileError)?.reason ?? "\(error)"
        }
    }

    /// The path with which the file was opened.
    public var path: FilePath {
        switch self {
        case .safetensors(let file): file.path
        case .pyTorch(let file): file.path
        case .sharded(let file): file.path
        }
    }

    /// The content as a tree, which is a flat dictionary unless the file is a PyTorch checkpoint.
    public var root: CheckpointValue {
        switch self {
        case .safetensors(let file): .dictionary(file.tensors.dictionary)
        case .pyTorch(let file): file.root
        case .sharded(let file): .dictionary(file.tensors.dictionary)
        }
    }
}

extension NamedTensors {
    /// The tensors as a flat dictionary.
    fileprivate var dictionary: CheckpointDictionary {
        var dictionary = CheckpointDictionary()
        for (name, tensor) in self { dictionary[.string(name)] = .tensor(tensor) }
        return dictionary
    }
}
