import Storage
import ALBEF
import Foundation
import SystemPackage
import Torch

/// Makes a model directory of the files of an entry.
enum ModelImport {
    /// Imports the files that a folder has of an entry.
    ///
    /// - Parameters:
    ///   - vocabulary: the vocabulary of an entry that has none of its own.
    ///   - target: where the model directory will stand, complete or not at all.
    /// - Throws: ``ModelFileError`` or `FileError`, naming the file.
    static func run(
        _ entry: ModelCatalog.Entry, in folder: FilePath, vocabulary: FilePath?,
        to target: FilePath
    ) throws {
        if let dialect = entry.dialect, Dialect.original.contains(dialect), let vocabulary {
            var options = CheckpointImporter.Options()
            // Grounding is the one task that looks like another.
            if entry.purpose == .grounding { options.task = .grounding }
            let weights = entry.parts.last?.alternatives.first?.name ?? ""
            try CheckpointImporter(options).load(folder.appending(weights))
                .writeModel(to: target, vocabulary: vocabulary)
        } else {
            let model = try TowerModel(importing: folder)
            let completed = folder.appending("vocab-completed.txt")
            defer { unlink(completed.string) }
            let isCompleted = try complete(model, in: folder, as: completed)
            guard
                let tokenizer = isCompleted
                    ? TokenizerFiles(vocabulary: completed) : model.tokenizer
            else {
                throw ModelFileError(folder, .notAModel(missing: "vocab.txt or tokenizer.json"))
            }
            try model.write(to: target, tokenizer: tokenizer)
        }
    }

    /// Adds to BERT's vocabulary, which BLIP's owners publish, the two tokens that BLIP has more.
    ///
    /// - Returns: whether it was needed.
    private static func complete(
        _ model: TowerModel, in folder: FilePath, as file: FilePath
    ) throws -> Bool {
        let path = folder.appending(TokenizerFiles.wordPieceName)
        guard model.configuration.dialect == .blip, FileSystem.exists(path) else { return false }
        let words = try VocabularyFile(path)
        let added = ["[DEC]", "[ENC]"]
        guard words.lineCount + added.count == model.configuration.text.vocabularySize else {
            return false
        }
        let lineFeed = UInt8(ascii: "\n")
        var bytes = words.bytes
        if bytes.last != lineFeed { bytes.append(lineFeed) }
        for token in added { bytes += Array(token.utf8) + [lineFeed] }
        try AtomicFile.write(bytes, to: file)
        return true
    }
}
