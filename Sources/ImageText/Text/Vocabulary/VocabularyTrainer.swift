/// Learns a WordPiece vocabulary from the words of captions.
///
/// The vocabulary consists of the special tokens, the alphabet, and one token per merge, in this
/// order. The alphabet is every character that occurs at least ``minimumFrequency`` times: as the
/// start of a word and, unless it is always a word by itself, as a continuation (`##`). Any word of
/// such characters can be spelled; only others become `[UNK]`. Every training word starts as its
/// characters. The trainer then repeatedly turns the most frequent pair of neighbouring tokens into
/// one token, until the vocabulary is full or no pair occurs ``minimumFrequency`` times.
///
/// Pairs are chosen by frequency, as by the trainer of the `tokenizers` library, not by the ratio
/// count(ab) / (count(a) · count(b)) that is often described as WordPiece's. The ratio prefers rare
/// pairs and spends the vocabulary on unusual words. Learned from the English training captions of
/// Flickr8k, 2,000 tokens spell a held-out caption in 12.3 tokens by frequency and in 28.4 by the
/// ratio; 4,000 tokens in 11.4 and 22.6. No word is `[UNK]` either way. Chinese, which has almost
/// no merges, is the same. `Benchmarks/vocabulary_training.py` measures these figures.
///
/// Training is deterministic: of equally frequent pairs, the first in the order of bytes is merged.
public struct VocabularyTrainer: Sendable {
    /// The maximum number of tokens in the vocabulary, including the five special ones.
    public var size: Int
    /// The minimum number of occurrences of a character or a pair of tokens; 2 by default.
    public var minimumFrequency: Int
    /// The maximum number of characters in the alphabet other than CJK ideographs; 1,000 by
    /// default.
    ///
    /// Ideographs are limited only by ``size``: each is a word that nothing else can spell.
    public var alphabetLimit: Int

    /// Creates a trainer.
    ///
    /// - Parameters:
    ///   - size: The maximum number of tokens, more than 5.
    ///   - minimumFrequency: The minimum number of occurrences, at least 1; 2 by default.
    ///   - alphabetLimit: The maximum number of characters other than CJK ideographs; 1,000 by
    ///     default.
    public init(size: Int, minimumFrequency: Int = 2, alphabetLimit: Int = 1000) {
        self.size = size
        self.minimumFrequency = minimumFrequency
        self.alphabetLimit = alphabetLimit
    }

    /// Learns a vocabulary.
    ///
    /// - Parameters:
    ///   - words: The words with their counts.
    ///   - progress: Called from time to time with the number of tokens so far and ``size``.
    /// - Returns: A vocabulary of at most ``size`` tokens, or of fewer if the words need no more.
    /// - Throws: ``VocabularyTrainingError`` if there are no words or a setting is invalid.
    public func train(
        on words: WordCounts, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) throws(VocabularyTrainingError) -> Vocabulary {
        let special = Vocabulary.SpecialTokens.spellings
        if size <= special.count { throw VocabularyTrainingError(.size(size)) }
        if minimumFrequency < 1 { throw VocabularyTrainingError(.frequency(minimumFrequency)) }
        if alphabetLimit < 0 { throw VocabularyTrainingError(.alphabet(alphabetLimit)) }
        if words.total == 0 { throw VocabularyTrainingError(.noWords) }
        let room = size - special.count
        let alphabet = Alphabet(words, minimumFrequency: minimumFrequency, limit: alphabetLimit)
        if alphabet.pieces.isEmpty {
            throw VocabularyTrainingError(.nothingFrequent(minimumFrequency))
        }
        var merger = PairMerger(words, alphabet: alphabet.pieces.prefix(room))
        while merger.tokens.count < room, merger.merge(minimumFrequency: minimumFrequency) {
            if merger.tokens.count & 0xFF == 0 {
                progress(merger.tokens.count + special.count, size)
            }
        }
        progress(size, size)
        let tokens = special + merger.tokens.map { String(decoding: $0, as: UTF8.self) }
        do {
            return try Vocabulary(tokens.joined(separator: "\n"))
        } catch {
            throw VocabularyTrainingError(.invalid(error.description))
        }
    }
}

/// The reason that no vocabulary could be learned.
public struct VocabularyTrainingError: Error, Sendable, CustomStringConvertible {
    enum Code: Sendable {
        case size(Int)
        case frequency(Int)
        case alphabet(Int)
        case noWords
        case nothingFrequent(Int)
        case invalid(String)
    }

    let code: Code

    init(_ code: Code) { self.code = code }

    /// The problem, in one line.
    public var description: String {
        switch code {
        case .size(let size):
            "a vocabulary of \(size) tokens has no room for more than the five special ones"
        case .frequency(let count): "the minimum frequency must be at least 1, not \(count)"
        case .alphabet(let limit): "the alphabet limit must be at least 0, not \(limit)"
        case .noWords: "the captions have no words"
        case .nothingFrequent(let count):
            "no character occurs \(count) times; lower the minimum frequency or add captions"
        case .invalid(let reason): "the learned vocabulary is invalid: \(reason)"
        }
    }
}
