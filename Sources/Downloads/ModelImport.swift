import ALBEF
import Foundation
import Storage
import SystemPackage
import Torch

/// The import of downloaded files into a model directory.
enum ModelImport {
    /// Creates a model directory from the downloaded files of an entry.
    ///
    /// - Parameters:
    ///   - entry: the entry, which decides how the files are read.
    ///   - folder: the folder of the files.
    ///   - vocabulary: the vocabulary for an entry that has none itself.
    ///   - target: the path of the model directory, which appears either complete or not at all.
    /// - Throws: `ModelFileError` or `FileError` that names the file.
    static func run(
        _ entry: ModelCatalog.Entry, in folder: FilePath, vocabulary: FilePath?,
        to target: FilePath
    ) throws {
        if let dialect = entry.dialect, Dialect.original.contains(dialect), let vocabulary {
            var options = CheckpointImporter.Options()
            // The importer infers every task from the tensors, except grounding, which looks like
            // another task.
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

    /// Writes BERT's vocabulary with the two additional tokens of BLIP.
    ///
    /// BLIP's owners publish BERT's vocabulary without these tokens.
    ///
    /// - Returns: false if the model is not BLIP or its vocabulary is complete; nothing is written.
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
