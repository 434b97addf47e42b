public import SystemPackage

/// A file of tensors in any of the formats that can be read.
public enum TensorFile: Sendable {
    /// A safetensors file.
    case safetensors(SafetensorsFile)
    /// A PyTorch checkpoint.
    case pyTorch(PyTorchCheckpoint)

    /// Opens a file, whose format is told by its content and not by its name.
    ///
    /// - Throws: ``TensorFileError`` if the file cannot be read, is damaged or is something else.
    public static func open(_ path: FilePath) throws -> TensorFile {
        let file = try MappedFile(path)
        switch file.withUnsafeBytes(FileFormat.init(detecting:)) {
        case .safetensors: return .safetensors(try SafetensorsFile(file))
        case .zip, .legacyPyTorch: return .pyTorch(try PyTorchCheckpoint(file))
        case .empty: throw TensorFileError(path, .empty)
        case .other(let what):
            throw TensorFileError(
                path,
                .wrongFormat("is neither a PyTorch checkpoint nor a safetensors file: \(what)"))
        }
    }

    /// The path the file was opened by.
    public var path: FilePath {
        switch self {
        case .safetensors(let file): file.path
        case .pyTorch(let file): file.path
        }
    }

    /// What the file holds, as a tree; for a safetensors file one flat dictionary.
    public var root: CheckpointValue {
        switch self {
        case .safetensors(let file):
            var dictionary = CheckpointDictionary()
            for (name, tensor) in file.tensors { dictionary[.string(name)] = .tensor(tensor) }
            return .dictionary(dictionary)
        case .pyTorch(let file): return file.root
        }
    }
}
