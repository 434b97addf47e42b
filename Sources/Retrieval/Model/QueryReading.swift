import ALBEF
import ImageText

/// A description of how much of a query the model can read.
public struct QueryReading: Sendable, Hashable {
    /// Whether the query is too long, so that only its beginning is read.
    public internal(set) var isCut = false
    /// Whether the vocabulary contains nothing of the part that is read.
    public internal(set) var isUnknown = false
    /// The words that the model does not know, as it reads them, without duplicates; adjacent
    /// ideographs form one word.
    ///
    /// A word contains a letter or a digit. Single letters have no meaning of their own, so a word
    /// of three or more letters that the vocabulary spells letter by letter is as unknown as one
    /// that it cannot spell. If the words that the model learned from images are recorded, all
    /// other words of two or more letters are unknown too.
    public internal(set) var unknownWords: [String] = []

    /// Combines the readings of two texts, or of one text by two models.
    func joined(_ other: QueryReading) -> QueryReading {
        QueryReading(
            isCut: isCut || other.isCut, isUnknown: isUnknown || other.isUnknown,
            unknownWords: unknownWords + other.unknownWords.filter { !unknownWords.contains($0) })
    }
}

extension TextInput {
    /// Tokenises a text, and finds how much of it the model can read.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - learned: The words that the model learned from images; nil if they are not recorded.
    /// - Returns: The token ids without those that frame them, and the reading.
    func tokenized(
        _ text: String, learned: LearnedWords? = nil
    ) -> (ids: [Int], reading: QueryReading) {
        let unlimited = framing.cleaning.unlimited(text)
        let text = clean(text)
        let read = tokenizer.ids(of: text, limit: framing.room)
        return (read, reading(of: text, read: read, unlimited: unlimited, learned))
    }

    private func reading(
        of text: String, read: [Int], unlimited: String, _ learned: LearnedWords?
    ) -> QueryReading {
        var reading = QueryReading()
        // A text that fits with room to spare, and lost no word in cleaning, is read whole.
        if read.count == framing.room || text != unlimited {
            reading.isCut = read.count < tokenizer.ids(of: unlimited).count
        }
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
            // Special tokens in a typed text may be fewer tokens than words.
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
    /// Whether the word has at least three letters and each is a token.
    fileprivate var isSpelledByLetters: Bool {
        text.count >= 3 && tokens.count == text.count && text.allSatisfy(\.isLetter)
    }

    /// Returns whether a list lacks a word that it could contain: an ideograph, or at least two
    /// letters.
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
