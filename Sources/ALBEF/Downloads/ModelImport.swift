import SystemPackage

/// Makes a model directory of the files of an entry.
enum ModelImport {
    /// Imports the files that a folder has of an entry.
    ///
    /// - Parameters:
    ///   - vocabulary: the vocabulary of an entry that has none of its own.
    ///   - target: where the model directory will stand, complete or not at all.
    /// - Throws: ``ModelFileError`` or `TensorFileError`, naming the file.
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
            guard let tokenizer = model.tokenizer else {
                throw ModelFileError(folder, .notAModel(missing: "vocab.txt or tokenizer.json"))
            }
            try model.write(to: target, tokenizer: tokenizer)
        }
    }
}
