import Storage
public import SystemPackage
import Torch

/// The words that a model learned from images: an optional `words.txt`, one word per line.
///
/// A vocabulary has far more words than the training images showed. For a word that they rarely
/// showed, a model returns loosely related images with the same confidence as for any other word.
public struct LearnedWords: Sendable, Hashable {
    private let words: Set<String>

    /// The largest accepted file, in bytes.
    private static let mostBytes = 4 << 20

    /// Creates a list of words as the model's tokenizer splits them: cleaned, and one per
    /// ideograph.
    public init(_ words: some Sequence<String>) {
        self.words = Set(words)
    }

    /// Reads a list of words from a file.
    ///
    /// - Throws: ``ModelFileError`` if the file is not a list of words; `FileError` if it cannot be
    ///   read.
    public init(contentsOf path: FilePath) throws {
        guard let text = try ModelDirectory.text(of: path, atMost: Self.mostBytes) else {
            throw ModelFileError(
                path,
                .configuration("is not a list of words: it must be UTF-8 text of at most 4 MiB"))
        }
        self.init(text.split(whereSeparator: \.isNewline).map(String.init))
        guard !words.isEmpty else {
            throw ModelFileError(path, .configuration("has no words; write one word per line"))
        }
    }

    /// Returns whether the model learned a word.
    public func contains(_ word: String) -> Bool { words.contains(word) }

    /// The contents of the file: the sorted words, one per line.
    fileprivate var text: String { words.sorted().map { $0 + "\n" }.joined() }
}

extension ModelDirectory {
    /// Writes a list of words beside the weights and replaces an earlier one.
    ///
    /// The list does not change the model's ``fingerprint``, so existing indexes remain valid.
    ///
    /// - Throws: `FileError` if the file cannot be written.
    public func write(_ words: LearnedWords) throws {
        try AtomicFile.write(Array(words.text.utf8), to: path.appending(Self.wordsName))
    }
}
