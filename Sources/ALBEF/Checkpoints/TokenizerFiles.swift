import Storage
public import SystemPackage
import Torch

/// The files of a model's tokenizer.
///
/// A WordPiece vocabulary, `vocab.txt`, has one line per word embedding. Other tokenizers, such as
/// those of CLIP and SigLIP, keep the files of their publishers.
public struct TokenizerFiles: Sendable, Hashable {
    /// The files, and the name of each in a model directory.
    let files: [(path: FilePath, name: String)]
    /// Whether the tokenizer is a WordPiece vocabulary.
    public var isWordPiece: Bool { files.map(\.name) == [Self.wordPieceName] }

    /// The file of a WordPiece vocabulary; nil for other tokenizers.
    public var vocabulary: FilePath? { isWordPiece ? files.first?.path : nil }
    /// The paths of the files.
    public var paths: [FilePath] { files.map(\.path) }

    package static let wordPieceName = "vocab.txt"
    /// The file names of known tokenizers; the first complete set is used.
    private static let sets = [
        ["tokenizer.json"], ["vocab.json", "merges.txt"], ["spiece.model"],
        ["sentencepiece.bpe.model"], ["tokenizer.model"], ["bpe_simple_vocab_16e6.txt"],
    ]
    /// All file names of tokenizers that a model directory may have.
    static let names = sets.flatMap { $0 } + [wordPieceName]

    /// Creates the files of a WordPiece vocabulary, which may have any name.
    public init(vocabulary: FilePath) {
        files = [(vocabulary, Self.wordPieceName)]
    }

    /// Finds the tokenizer's files in a published folder or in a model directory.
    ///
    /// - Parameters:
    ///   - folder: the folder to look in.
    ///   - isWordPiece: whether the text encoder reads word pieces and so needs only `vocab.txt`.
    /// - Returns: nil if the folder has no complete set of files.
    public init?(folder: FilePath, isWordPiece: Bool) {
        func complete(_ names: [String]) -> Bool {
            names.allSatisfy { FileSystem.exists(folder.appending($0)) }
        }
        let sets = isWordPiece ? [[Self.wordPieceName]] : Self.sets
        guard let names = sets.first(where: complete) else { return nil }
        files = names.map { (folder.appending($0), $0) }
    }

    /// Returns whether both have the same paths.
    public static func == (a: TokenizerFiles, b: TokenizerFiles) -> Bool {
        a.files.map(\.path) == b.files.map(\.path)
    }

    /// Hashes the files' paths.
    public func hash(into hasher: inout Hasher) { hasher.combine(files.map(\.path)) }

    /// Checks a vocabulary against the weights; other tokenizers are not checked.
    ///
    /// - Throws: ``ModelFileError`` if a vocabulary does not have one line per word embedding.
    func check(rows: Int) throws {
        guard isWordPiece else { return }
        for (path, _) in files { try VocabularyFile(path).check(rows: rows) }
    }

    /// Copies the files into a folder; a vocabulary is stored with plain line feeds.
    func copy(into folder: FilePath) throws {
        for (path, name) in files {
            let bytes =
                isWordPiece ? try VocabularyFile(path).bytes : try VocabularyFile(path).contents
            try AtomicFile.write(bytes, to: folder.appending(name))
        }
    }
}
