import Storage
public import WeightFiles
import Crypto
public import SystemPackage
import Torch

extension ModelDirectory {
    /// Writes a model as a new directory, which appears complete or not at all.
    ///
    /// A model directory of the same name is replaced; a directory that holds anything else is
    /// not. The two change places in one step, so that a whole model is at the path at each moment.
    /// A file system that cannot do that (some network file systems) needs two steps, between which
    /// the older model has a hidden name. A process that is stopped on the way leaves at worst a
    /// hidden temporary directory.
    ///
    /// - Parameters:
    ///   - entries: the weights, by the names of ``ParameterLayout``; momentum twins and queues may
    ///     be among them.
    ///   - configuration: what the weights belong to.
    ///   - tokenizer: files to be copied; a vocabulary without a byte order mark, with plain line
    ///     feeds, and one line for each word embedding.
    ///   - path: where the directory will stand.
    ///   - metadata: strings for the header of the weights.
    /// - Returns: the directory, opened and checked.
    /// - Throws: ``ModelFileError`` or `FileError`, naming the file.
    @discardableResult
    public static func write(
        _ entries: [SafetensorsWriter.Entry], configuration: ALBEFConfiguration,
        tokenizer: TokenizerFiles, to path: FilePath, metadata: [String: String] = [:]
    ) throws -> ModelDirectory {
        try tokenizer.check(rows: configuration.text.vocabularySize)
        let path = path.lexicallyNormalized()
        try checkReplaceable(path)
        let temporary = try FileSystem.makeTemporaryDirectory(beside: path)
        // After an exchange this is the older model.
        defer { FileSystem.removeDirectory(temporary, files: allNames) }
        var digest = SHA256()
        try SafetensorsWriter.write(
            entries, metadata: metadata, to: temporary.appending(weightsName),
            observe: { digest.update(bufferPointer: $0) })
        let document = ModelDocument(
            configuration: configuration, weightsDigest: digest.hexadecimal())
        try AtomicFile.write(document.text(), to: temporary.appending(configurationName))
        try tokenizer.copy(into: temporary)
        // Whatever is wrong with the entries shows before an older model is replaced.
        _ = try ModelDirectory.open(temporary)
        try replace(path, with: temporary)
        return try ModelDirectory.open(path)
    }

    /// Writes a model whose tokenizer is a WordPiece vocabulary.
    ///
    /// Parameters and errors are those of ``write(_:configuration:tokenizer:to:metadata:)``.
    @discardableResult
    public static func write(
        _ entries: [SafetensorsWriter.Entry], configuration: ALBEFConfiguration,
        vocabulary: FilePath, to path: FilePath, metadata: [String: String] = [:]
    ) throws -> ModelDirectory {
        try write(
            entries, configuration: configuration,
            tokenizer: TokenizerFiles(vocabulary: vocabulary), to: path, metadata: metadata)
    }

    /// Checks that nothing but a model stands in the way.
    private static func checkReplaceable(_ path: FilePath) throws {
        // A link would be exchanged itself, and what it leads to be taken for the older model.
        guard !FileSystem.isLink(path) else { throw ModelFileError(path, .occupied(by: "a link")) }
        guard FileSystem.exists(path) else { return }
        guard FileSystem.isDirectory(path) else {
            throw ModelFileError(path, .occupied(by: "a file"))
        }
        let found = try FileSystem.names(in: path)
        if let other = found.first(where: { !allNames.contains($0) }) {
            throw ModelFileError(path, .occupied(by: "\"\(other)\""))
        }
        if !found.isEmpty, !found.contains(configurationName) || !found.contains(weightsName) {
            throw ModelFileError(path, .occupied(by: "\"\(found[0])\""))
        }
    }

    private static func replace(_ path: FilePath, with temporary: FilePath) throws {
        guard FileSystem.exists(path) else {
            try FileSystem.rename(temporary, to: path)
            return
        }
        if try FileSystem.exchange(temporary, with: path) { return }
        let old = try FileSystem.makeTemporaryDirectory(beside: path)
        try FileSystem.rename(path, to: old)
        do {
            try FileSystem.rename(temporary, to: path)
        } catch {
            try? FileSystem.rename(old, to: path)
            throw error
        }
        FileSystem.removeDirectory(old, files: allNames)
    }
}
