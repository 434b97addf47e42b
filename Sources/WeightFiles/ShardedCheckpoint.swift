import Storage
public import SystemPackage

/// A checkpoint in several files, the form in which Hugging Face's libraries save large models.
///
/// The index, `model.safetensors.index.json`, is JSON whose `weight_map` names the file of each
/// tensor. The files are in the folder of the index.
public struct ShardedCheckpoint: Sendable {
    /// The path of the index.
    public let path: FilePath
    /// The tensors, file by file.
    public let tensors: NamedTensors

    /// The file names of a checkpoint in a folder; the first that exists is opened.
    private static let names = [
        "model.safetensors.index.json", "pytorch_model.bin.index.json", "model.safetensors",
        "pytorch_model.bin",
    ]

    /// Returns the path of the checkpoint in a folder; nil if `path` is not a folder.
    ///
    /// - Throws: `FileError` if the folder holds no checkpoint.
    static func checkpoint(inFolder path: FilePath) throws -> FilePath? {
        var status = stat()
        guard stat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            return nil
        }
        for name in names {
            let file = path.appending(name)
            if stat(file.string, &status) == 0 { return file }
        }
        throw FileError(
            path, .wrongFormat("is a folder without \(names.joined(separator: ", "))"))
    }

    /// Reads a mapped index and opens its files.
    ///
    /// - Throws: `FileError` if a file cannot be read, or if the index and the files do not name
    ///   the same tensors.
    init(_ file: MappedFile) throws {
        path = file.path
        let map = try Self.map(of: file)
        let folder = file.path.removingLastComponent()
        var tensors = NamedTensors()
        for (shard, names) in map {
            let found = try Self.tensors(of: folder.appending(shard))
            for name in names {
                guard let tensor = found[name] else {
                    throw FileError(folder.appending(shard), .noTensor(name: name))
                }
                tensors[name] = tensor
            }
            if let name = found.names.first(where: { !names.contains($0) }) {
                throw FileError(
                    file.path, .malformed("it does not name \"\(name)\", which is in \(shard)"))
            }
        }
        self.tensors = tensors
    }

    private static func tensors(of path: FilePath) throws -> NamedTensors {
        let file = try MappedFile(path)
        if case .safetensors = file.withUnsafeBytes(FileFormat.init(detecting:)) {
            return try SafetensorsFile(file).tensors
        }
        guard case .dictionary(let dictionary) = try PyTorchCheckpoint(file).root else {
            throw FileError(path, .wrongFormat("holds no dictionary of tensors"))
        }
        return dictionary.tensors
    }

    /// Reads the names of the tensors in each file; the files are in the order of their names.
    private static func map(of file: MappedFile) throws -> [(shard: String, names: Set<String>)] {
        let root = try file.withUnsafeBytes {
            try JSONValue($0, file: file.path, what: "the index")
        }
        guard let map = root.object?.first(where: { $0.name == "weight_map" })?.value.object else {
            throw FileError(
                file.path,
                .wrongFormat(
                    "is JSON text, but not the index of a checkpoint: it has no \"weight_map\""))
        }
        var names: [String: Set<String>] = [:]
        for member in map {
            guard let shard = member.value.string else {
                throw FileError(
                    file.path, .malformed("weight_map.\(member.name) is not the name of a file"))
            }
            // The index must not lead to files outside its folder.
            guard let component = FilePath.Component(shard), component.kind == .regular,
                component.string == shard
            else {
                throw FileError(
                    file.path,
                    .malformed("weight_map.\(member.name) is '\(shard)', not a file beside it"))
            }
            names[shard, default: []].insert(member.name)
        }
        return names.sorted { $0.key < $1.key }.map { (shard: $0.key, names: $0.value) }
    }
}
