import ALBEF
import ImageText

/// How much of a query reaches the model.
public struct QueryReading: Sendable, Hashable {
    /// Whether only the beginning is read, because the query is too long.
    public internal(set) var isCut = false
    /// Whether the vocabulary has nothing of what is read.
    public internal(set) var isUnknown = false
    /// The words that the model does not know, as it reads them, each once; ideographs that stand
    /// together are one.
    ///
    /// A word has a letter or a digit. Letters mean nothing by themselves: a word of three or more
    /// that the vocabulary spells letter by letter is as unknown as one that it cannot spell. Where
    /// somebody listed what the model learned from images, words of two letters or more that are not
    /// in the list are unknown too.
    public internal(set) var unknownWords: [String] = []

    /// How much is read of this and another text, or of one text by this and another model.
    func joined(_ other: QueryReading) -> QueryReading {
        QueryReading(
            isCut: isCut || other.isCut, isUnknown: isUnknown || other.isUnknown,
            unknownWords: unknownWords + other.unknownWords.filter { !unknownWords.contains($0) })
    }
}

extension TextInput {
    /// How much of a text the model reads.
    ///
    /// - Parameter learned: the words that it learned from images; nil if nobody listed them.
    func reading(of text: String, learned: LearnedWords? = nil) -> QueryReading {
        let all = tokenizer.ids(of: framing.cleaning.unlimited(text))
        let text = clean(text)
        let read = tokenizer.ids(of: text, limit: framing.room)
        var reading = QueryReading()
        reading.isCut = read.count < all.count
        let unknown = tokenizer.unknown
        guard unknown != nil || learned != nil else { return reading }
        reading.isUnknown = !read.isEmpty && read.allSatisfy { $0 == unknown }
        var joined: String?
        func finish() {
            if let word = joined, !reading.unknownWords.contains(word) {
                reading.unknownWords.append(word)
            }
            joined = nil
        }
        for word in tokenizer.words(of: text, limit: framing.room)
        where word.text.hasLetterOrDigit {
            // Special tokens that are typed may be fewer tokens than words.
            let tokens = read[word.tokens.clamped(to: read.indices)]
            guard
                word.isSpelledByLetters || unknown.map(tokens.contains) == true
                    || learned.map(word.isMissing(in:)) == true
            else {
                finish()
                continue
            }
            if word.text.isIdeograph, let before = joined, before.last?.isIdeograph == true,
                text.contains(before + word.text)
            {
                joined = before + word.text
            } else {
                finish()
                joined = word.text
            }
        }
        finish()
        return reading
    }
}

extension TokenizedWord {
    /// Whether each letter is a token, of three or more.
    fileprivate var isSpelledByLetters: Bool {
        text.count >= 3 && tokens.count == text.count && text.allSatisfy(\.isLetter)
    }

    /// Whether a list lacks a word that it could have: an ideograph, or at least two letters.
    fileprivate func isMissing(in words: LearnedWords) -> Bool {
        let isWord = text.isIdeograph || (text.count > 1 && text.contains(where: \.isLetter))
        return isWord && !words.contains(String(text))
    }
}

extension StringProtocol {
    fileprivate var hasLetterOrDigit: Bool { contains { $0.isLetter || $0.isNumber } }
    fileprivate var isIdeograph: Bool { count == 1 && first?.isIdeograph == true }
}

extension Character {
    fileprivate var isIdeograph: Bool { unicodeScalars.allSatisfy(\.properties.isIdeographic) }
}
