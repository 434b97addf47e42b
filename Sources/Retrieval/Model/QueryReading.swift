import ALBEF
public import ImageText

/// How much of a query reaches the model.
public struct QueryReading: Sendable, Hashable {
    /// Whether only the beginning is read, because the query is too long.
    public internal(set) var isCut = false
    /// Whether the vocabulary has nothing of what is read.
    public internal(set) var isUnknown = false
    /// The words that the vocabulary cannot spell, or only letter by letter, as the model reads
    /// them, each once; ideographs that stand together are one.
    ///
    /// A word has a letter or a digit. Letters mean nothing by themselves, so that a word of three
    /// or more that is spelled in them is as good as unknown. The list is empty where the vocabulary
    /// spells every text, as one of bytes does.
    public internal(set) var unknownWords: [String] = []
}

extension TextInput {
    /// How much of a text the model reads.
    func reading(of text: String) -> QueryReading {
        let all = tokenizer.ids(of: framing.cleaning.unlimited(text))
        let text = clean(text)
        let read = tokenizer.ids(of: text, limit: framing.room)
        var reading = QueryReading()
        reading.isCut = read.count < all.count
        guard let unknown = tokenizer.unknown else { return reading }
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
            guard
                word.isSpelledByLetters
                    || read[word.tokens.clamped(to: read.indices)].contains(unknown)
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
}

extension StringProtocol {
    fileprivate var hasLetterOrDigit: Bool { contains { $0.isLetter || $0.isNumber } }
    fileprivate var isIdeograph: Bool { count == 1 && first?.isIdeograph == true }
}

extension Character {
    fileprivate var isIdeograph: Bool { unicodeScalars.allSatisfy(\.properties.isIdeographic) }
}
