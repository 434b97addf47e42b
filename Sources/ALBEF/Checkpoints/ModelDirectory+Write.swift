import Storage
public import SystemPackage
import Torch
public import WeightFiles

extension ModelDirectory {
    /// Writes a model as a directory, which appears completely or not at all.
    ///
    /// A model directory at the path is replaced; a directory that holds anything else is an error.
    /// The new and the old directory change places in one step, so that the path holds a complete
    /// model at every moment. Some network file systems cannot do that. There it takes two steps,
    /// between which the old model has a hidden name. If the process ends midway, at worst a hidden
    /// temporary directory remains, which the next write to the same path uses again.
    ///
    /// - Parameters:
    ///   - entries: the weights under the names of ``ParameterLayout``; momentum twins and queues
    ///     are allowed.
    ///   - configuration: the sizes and conventions of the weights.
    ///   - tokenizer: the files to copy. A WordPiece vocabulary is stored without byte order mark
    ///     and with plain line feeds; it must have one line per word embedding.
    ///   - path: the directory to write.
    ///   - metadata: strings for the header of the weights; empty by default.
    /// - Returns: the directory, opened and checked.
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file.
    @discardableResult
    public static func write(
        _ entries: [SafetensorsWriter.Entry], configuration: ALBEFConfiguration,
        tokenizer: TokenizerFiles, to path: FilePath, metadata: [String: String] = [:]
    ) throws -> ModelDirectory {
        try tokenizer.check(rows: configuration.text.vocabularySize)
        let path = path.lexicallyNormalized()
        try checkReplaceable(path)
        let hidden = try TemporaryFile(directoryBeside: path)
        // It is locked until the end, so that no other writer uses it.
        defer { withExtendedLifetime(hidden) {} }
        let temporary = hidden.path
        // After the exchange, `temporary` holds the old model.
        defer { FileSystem.removeDirectory(temporary, files: allNames) }
        var digest = SHA256()
        try SafetensorsWriter.write(
            entries, metadata: metadata, to: temporary.appending(weightsName),
            observe: { digest.update($0) })
        let document = ModelDocument(
            configuration: configuration, weightsDigest: digest.finished().hexadecimal)
        try AtomicFile.write(document.text(), to: temporary.appending(configurationName))
        try tokenizer.copy(into: temporary)
        // Opening finds every fault of the entries before an old model is replaced.
        _ = try ModelDirectory.open(temporary)
        try replace(path, with: temporary)
        return try ModelDirectory.open(path)
    }

    /// Writes a model whose tokenizer is a WordPiece vocabulary.
    ///
    /// - Parameters:
    ///   - entries: the weights under the names of ``ParameterLayout``.
    ///   - configuration: the sizes and conventions of the weights.
    ///   - vocabulary: the vocabulary to copy, with one line per word embedding.
    ///   - path: the directory to write; see ``write(_:configuration:tokenizer:to:metadata:)``.
    ///   - metadata: strings for the header of the weights; empty by default.
    /// - Returns: the directory, opened and checked.
    /// - Throws: ``ModelFileError`` or `FileError`, which names the file.
    @discardableResult
    public static func write(
        _ entries: [SafetensorsWriter.Entry], configuration: ALBEFConfiguration,
        vocabulary: FilePath, to path: FilePath, metadata: [String: String] = [:]
    ) throws -> ModelDirectory {
        try write(
            entries, configuration: configuration,
            tokenizer: TokenizerFiles(vocabulary: vocabulary), to: path, metadata: metadata)
    }

    /// Checks that the path is free or holds a model.
    private static func checkReplaceable(_ path: FilePath) throws {
        // An exchange would move the link itself, and its target would be removed as the old model.
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
        let hidden = try TemporaryFile(directoryBeside: path)
        defer { withExtendedLifetime(hidden) {} }
        let old = hidden.path
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
