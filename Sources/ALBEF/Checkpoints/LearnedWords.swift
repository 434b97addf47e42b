import Storage
public import SystemPackage
import Torch

/// The words that a model learned from images, where somebody listed them: `words.txt`, one per line.
///
/// A vocabulary spells far more words than the training images showed. For a word that they hardly
/// showed, a model finds what the word reminds it of, and is as sure as for any other.
public struct LearnedWords: Sendable, Hashable {
    private let words: Set<String>

    /// The largest file, in bytes.
    private static let mostBytes = 4 << 20

    /// Takes words as the model's tokenizer reads them: cleaned, ideographs one by one.
    public init(_ words: some Sequence<String>) {
        self.words = Set(words)
    }

    /// Reads a file.
    ///
    /// - Throws: ``ModelFileError`` for what is no list of words; `FileError` if the file
    ///   cannot be read.
    public init(contentsOf path: FilePath) throws {
        guard let text = try ModelDirectory.text(of: path, atMost: Self.mostBytes) else {
            throw ModelFileError(path, .configuration("is no list of words: UTF-8, 4 MiB at most"))
        }
        self.init(text.split(whereSeparator: \.isNewline).map(String.init))
        guard !words.isEmpty else {
            throw ModelFileError(path, .configuration("has no words; each is a line"))
        }
    }

    /// Whether the model learned a word.
    public func contains(_ word: String) -> Bool { words.contains(word) }

    /// The words, one on each line, in an order of their own.
    fileprivate var text: String { words.sorted().map { $0 + "\n" }.joined() }
}

extension ModelDirectory {
    /// Stores a list of words beside the weights, in place of an earlier one.
    ///
    /// It is a file of its own, so that the model stays the one that indexes were made with.
    ///
    /// - Throws: `FileError` if it cannot be written.
    public func write(_ words: LearnedWords) throws {
        try AtomicFile.write(Array(words.text.utf8), to: path.appending(Self.wordsName))
    }
}
