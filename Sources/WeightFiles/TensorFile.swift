import Storage
public import SystemPackage

/// A file of tensors in any of the formats that can be read.
public enum TensorFile: Sendable {
    /// A safetensors file.
    case safetensors(SafetensorsFile)
    /// A PyTorch checkpoint.
    case pyTorch(PyTorchCheckpoint)
    /// Several files of either kind, with an index that says what is where.
    case sharded(ShardedCheckpoint)

    /// Opens a file, whose format is told by its content and not by its name.
    ///
    /// - Parameter path: A checkpoint, the index of one in several files
    ///   (`model.safetensors.index.json`), or a folder with either.
    /// - Throws: ``FileError`` if the file cannot be read, is damaged or is something else.
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

    /// What is wrong with a file that should be one checkpoint, in words; nil if it seems whole.
    ///
    /// This tells a web page or half of a file from weights. What is in the weights is not read.
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

    /// The path the file was opened by.
    public var path: FilePath {
        switch self {
        case .safetensors(let file): file.path
        case .pyTorch(let file): file.path
        case .sharded(let file): file.path
        }
    }

    /// What the file holds, as a tree; one flat dictionary unless it is a PyTorch checkpoint.
    public var root: CheckpointValue {
        switch self {
        case .safetensors(let file): .dictionary(file.tensors.dictionary)
        case .pyTorch(let file): file.root
        case .sharded(let file): .dictionary(file.tensors.dictionary)
        }
    }
}

extension NamedTensors {
    /// The tensors as a checkpoint has them.
    fileprivate var dictionary: CheckpointDictionary {
        var dictionary = CheckpointDictionary()
        for (name, tensor) in self { dictionary[.string(name)] = .tensor(tensor) }
        return dictionary
    }
}
