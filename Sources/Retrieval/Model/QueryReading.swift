import ALBEF
public import ImageText

/// How much of a query reaches the model.
public struct QueryReading: Sendable, Hashable {
    /// Whether only the beginning is read, because the query is too long.
    public internal(set) var isCut = false
    /// Whether the vocabulary has nothing of what is read.
    public internal(set) var isUnknown = false
    /// The words that the vocabulary cannot spell, as the model reads them, each once; ideographs
    /// that stand together are one.
    ///
    /// A word has a letter or a digit. There are none where the vocabulary spells every text, as one
    /// of bytes does.
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
        guard let unknown = tokenizer.unknown, read.contains(unknown) else { return reading }
        reading.isUnknown = read.allSatisfy { $0 == unknown }
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
            guard read[word.tokens.clamped(to: read.indices)].contains(unknown) else {
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

extension StringProtocol {
    fileprivate var hasLetterOrDigit: Bool { contains { $0.isLetter || $0.isNumber } }
    fileprivate var isIdeograph: Bool { count == 1 && first?.isIdeograph == true }
}

extension Character {
    fileprivate var isIdeograph: Bool { unicodeScalars.allSatisfy(\.properties.isIdeographic) }
}
