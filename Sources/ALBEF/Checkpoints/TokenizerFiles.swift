import Storage
public import SystemPackage
import Torch

/// The files from which a model's texts are turned into tokens.
///
/// A WordPiece vocabulary, `vocab.txt`, has one line for each word embedding. Other tokenizers, such
/// as CLIP's and SigLIP's, keep the files that their publishers have.
public struct TokenizerFiles: Sendable, Hashable {
    /// The files, and under which name a model directory has each.
    let files: [(path: FilePath, name: String)]
    /// Whether it is a WordPiece vocabulary.
    public var isWordPiece: Bool { files.map(\.name) == [Self.wordPieceName] }

    /// The file of a WordPiece vocabulary; nil of other tokenizers.
    public var vocabulary: FilePath? { isWordPiece ? files.first?.path : nil }
    /// The files.
    public var paths: [FilePath] { files.map(\.path) }

    package static let wordPieceName = "vocab.txt"
    /// Sets of files, the first that is complete counts.
    private static let sets = [
        ["tokenizer.json"], ["vocab.json", "merges.txt"], ["spiece.model"],
        ["sentencepiece.bpe.model"], ["tokenizer.model"], ["bpe_simple_vocab_16e6.txt"],
    ]
    /// Every name that a model directory may have.
    static let names = sets.flatMap { $0 } + [wordPieceName]

    /// A WordPiece vocabulary, whatever its name.
    public init(vocabulary: FilePath) {
        files = [(vocabulary, Self.wordPieceName)]
    }

    /// The files in a folder that others published, or in a model directory.
    ///
    /// - Parameter isWordPiece: whether the text encoder is one that reads word pieces, whose
    ///   `vocab.txt` is enough.
    /// - Returns: nil if there are none.
    public init?(folder: FilePath, isWordPiece: Bool) {
        func complete(_ names: [String]) -> Bool {
            names.allSatisfy { FileSystem.exists(folder.appending($0)) }
        }
        let sets = isWordPiece ? [[Self.wordPieceName]] : Self.sets
        guard let names = sets.first(where: complete) else { return nil }
        files = names.map { (folder.appending($0), $0) }
    }

    /// Whether both are the same files.
    public static func == (a: TokenizerFiles, b: TokenizerFiles) -> Bool {
        a.files.map(\.path) == b.files.map(\.path)
    }

    /// Feeds the files' paths to a hasher.
    public func hash(into hasher: inout Hasher) { hasher.combine(files.map(\.path)) }

    /// Checks the files as far as they can be checked against weights.
    ///
    /// - Throws: ``ModelFileError`` if a vocabulary has another number of lines than there are word
    ///   embeddings.
    func check(rows: Int) throws {
        guard isWordPiece else { return }
        for (path, _) in files { try VocabularyFile(path).check(rows: rows) }
    }

    /// Copies the files into a folder; a vocabulary gets plain line feeds.
    func copy(into folder: FilePath) throws {
        for (path, name) in files {
            let bytes =
                isWordPiece ? try VocabularyFile(path).bytes : try VocabularyFile(path).contents
            try AtomicFile.write(bytes, to: folder.appending(name))
        }
    }
}
