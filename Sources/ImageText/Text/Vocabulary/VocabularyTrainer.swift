/// Learns a WordPiece vocabulary from the words of captions.
///
/// The special tokens come first, then the alphabet, then one token for each merge. The alphabet
/// is every character that occurs at least ``minimumFrequency`` times, as the start of a word and,
/// unless it is always a word of its own, as a continuation (`##`): any word of such characters
/// can be spelled, and only others become `[UNK]`. Every training word starts out as its
/// characters; then, again and again, the pair of neighbouring tokens that occurs most often
/// becomes one token, until the vocabulary is full or no pair occurs ``minimumFrequency`` times.
///
/// Pairs are chosen by their frequency, as the trainer of the `tokenizers` library does, and not by
/// the ratio count(ab) / (count(a) · count(b)) that is usually told of WordPiece. The ratio prefers
/// what is rare and spends the vocabulary on unusual words. Learned from the English training
/// captions of Flickr8k, 2,000 tokens spell a held-out caption in 12.3 tokens by frequency and 28.4
/// by the ratio; 4,000 in 11.4 and 22.6. No word is `[UNK]` either way, and Chinese, which has next
/// to no merges, is the same. `Benchmarks/vocabulary_training.py` measures it.
///
/// Training is deterministic: of pairs equally frequent the first in the order of their bytes wins.
public struct VocabularyTrainer: Sendable {
    /// The most tokens that the vocabulary may have, the five special ones included.
    public var size: Int
    /// How often a character or a pair of tokens must occur to count; default 2.
    public var minimumFrequency: Int
    /// The most characters of the alphabet that are not CJK ideographs; default 1,000.
    ///
    /// Ideographs have no limit but ``size``: each is a word of its own, which nothing else spells.
    public var alphabetLimit: Int

    /// Creates a trainer.
    public init(size: Int, minimumFrequency: Int = 2, alphabetLimit: Int = 1000) {
        self.size = size
        self.minimumFrequency = minimumFrequency
        self.alphabetLimit = alphabetLimit
    }

    /// Learns a vocabulary.
    ///
    /// - Parameters:
    ///   - words: The words and how often each occurs.
    ///   - progress: Called now and then with the number of tokens so far and ``size``.
    /// - Returns: A vocabulary of at most ``size`` tokens; of fewer if the words ask for no more.
    /// - Throws: ``VocabularyTrainingError`` when there are no words, or a setting makes no sense.
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

/// Why no vocabulary could be learned.
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

    /// What is wrong, in one line.
    public var description: String {
        switch code {
        case .size(let size):
            "a vocabulary of \(size) tokens has no room beside the five special ones"
        case .frequency(let count): "the minimum frequency must be at least 1, not \(count)"
        case .alphabet(let limit): "the alphabet cannot have \(limit) characters"
        case .noWords: "the captions have no words"
        case .nothingFrequent(let count): "no character occurs \(count) times"
        case .invalid(let reason): "what was learned is no vocabulary: \(reason)"
        }
    }
}
