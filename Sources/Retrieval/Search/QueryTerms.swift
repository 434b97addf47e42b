import Foundation

/// A query in the syntax that people type: `dog^2 beach -leash -"red ball"`.
///
/// A hyphen before a word, or before a phrase in quotation marks, excludes it. A caret and a number
/// after a word, or after a phrase in quotation marks, set its weight. Everything else is the
/// sentence. A hyphen within a word or alone, a negative number, and a caret after a number have no
/// meaning, so most sentences are taken literally: a text without such marks is the sentence as
/// typed.
///
/// Ideographs need no spaces, but the marks do: `狗 -牵绳`. The full-width hyphen and caret are
/// recognised too, as are the quotation marks of input methods, `“…”` and `「…」`.
public struct QueryTerms: Sendable, Hashable {
    /// The sentence; nil if no word remains for it.
    public var text: String?
    /// The excluded words and phrases, without duplicates.
    public var without: [String]
    /// The weights of words and phrases in the sentence.
    public var emphasis: [String: Double]

    /// Creates terms.
    public init(text: String?, without: [String] = [], emphasis: [String: Double] = [:]) {
        self.text = text
        self.without = without
        self.emphasis = emphasis
    }

    /// Parses a typed query; every text is valid.
    public init(_ typed: String) {
        self.init(text: nil)
        var reader = TermReader(typed)
        var words: [Substring] = []
        while let term = reader.next() {
            switch term {
            case .without(let text):
                if !without.contains(text) { without.append(text) }
            case .emphasised(let text, let weight, let rest):
                words.append(text[...] + rest)
                emphasis[text] = weight
            case .word(let word): words.append(word)
            }
        }
        if without.isEmpty, emphasis.isEmpty {
            text = typed.contains { !$0.isWhitespace } ? typed : nil
        } else if !words.isEmpty {
            text = words.joined(separator: " ")
        }
    }

    /// Returns the query that consists of these terms and of images.
    public func query(
        images: [QueryImage] = [], unlike: [QueryImage] = []
    ) -> SearchQuery {
        SearchQuery(
            text: text, images: images, without: without, unlike: unlike, emphasis: emphasis)
    }
}

/// Splits a text into words and marked terms.
private struct TermReader {
    enum Term {
        case word(Substring)
        case without(String)
        /// An emphasised word, with the punctuation that follows its weight.
        case emphasised(String, weight: Double, rest: Substring)
    }

    private static let hyphens: Set<Character> = ["-", "－", "−"]
    private static let carets: Set<Character> = ["^", "＾"]
    private static let quotes: [Character: Character] = [
        "\"": "\"", "“": "”", "„": "“", "「": "」", "『": "』", "«": "»",
    ]
    private static let punctuation: Set<Character> = [
        ",", ".", ";", ":", "!", "?", "，", "。", "、", "；", "：", "！", "？",
    ]

    private var rest: Substring

    init(_ text: String) { rest = text[...] }

    /// Returns the next term, or nil at the end.
    mutating func next() -> Term? {
        rest = rest.drop(while: \.isWhitespace)
        guard let first = rest.first else { return nil }
        if Self.hyphens.contains(first), let text = leftOut() { return .without(text) }
        if let term = emphasisedPhrase() { return term }
        let word = rest.prefix { !$0.isWhitespace }
        rest = rest[word.endIndex...]
        return emphasised(word) ?? .word(word)
    }

    /// Returns the text that a leading hyphen excludes, or nil if the hyphen has no meaning.
    private mutating func leftOut() -> String? {
        let marked = rest.dropFirst()
        guard let first = marked.first else { return nil }
        if let close = Self.quotes[first] {
            let phrase = marked.dropFirst().prefix { $0 != close }
            guard let text = Self.trimmed(phrase) else { return nil }
            // An unclosed quotation mark extends to the end.
            rest = rest[phrase.endIndex...].dropFirst()
            return text
        }
        guard first.isLetter else { return nil }
        let word = marked.prefix { !$0.isWhitespace }
        guard let text = Self.trimmed(word) else { return nil }
        rest = rest[word.endIndex...]
        return text
    }

    /// Returns a phrase in quotation marks followed by a weight, or nil if there is none.
    private mutating func emphasisedPhrase() -> Term? {
        guard let close = rest.first.flatMap({ Self.quotes[$0] }) else { return nil }
        let phrase = rest.dropFirst().prefix { $0 != close }
        let behind = rest[phrase.endIndex...].dropFirst()
        guard let caret = behind.first, Self.carets.contains(caret),
            let text = Self.trimmed(phrase)
        else { return nil }
        let mark = behind.prefix { !$0.isWhitespace }
        guard let (weight, punctuation) = Self.weight(mark.dropFirst()) else { return nil }
        rest = rest[mark.endIndex...]
        return .emphasised(text, weight: weight, rest: punctuation)
    }

    /// Returns a word followed by a weight, or nil if it has none.
    private func emphasised(_ word: Substring) -> Term? {
        guard let caret = word.lastIndex(where: Self.carets.contains),
            let (weight, punctuation) = Self.weight(word[word.index(after: caret)...])
        else { return nil }
        let text = word[..<caret]
        guard text.contains(where: \.isLetter), !text.contains(where: Self.carets.contains)
        else { return nil }
        return .emphasised(String(text), weight: weight, rest: punctuation)
    }

    /// Parses a weight, such as 2 or 0.5, and the punctuation after it.
    private static func weight(_ text: Substring) -> (Double, Substring)? {
        let end = text.lastIndex { !punctuation.contains($0) }
        let number = end.map { text[...$0] } ?? ""
        guard let first = number.first, first.isASCII, first.isNumber,
            number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let weight = Double(number)
        else { return nil }
        return (weight, text[number.endIndex...])
    }

    /// Removes punctuation and spaces around a phrase; nil if it has no letter or digit.
    private static func trimmed(_ phrase: Substring) -> String? {
        var phrase = phrase.drop { $0.isWhitespace || punctuation.contains($0) }
        while let last = phrase.last, last.isWhitespace || punctuation.contains(last) {
            phrase.removeLast()
        }
        return phrase.contains { $0.isLetter || $0.isNumber } ? String(phrase) : nil
    }
}
