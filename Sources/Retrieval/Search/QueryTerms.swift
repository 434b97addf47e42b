import Foundation

/// A query as people type it: `dog^2 beach -leash -"red ball"`.
///
/// A word that begins with a hyphen is to be left out, and so is a phrase in quotation marks behind
/// one. A number behind a caret says how much a word, or a phrase in quotation marks, weighs. All else
/// is the sentence. A hyphen within a word or by itself, a negative number and a caret behind a
/// number mean nothing, so that most sentences are what they seem: a text without such signs is the
/// sentence as it was typed.
///
/// Ideographs need no spaces, so the signs do: `狗 -牵绳`. The full-width hyphen and caret and the
/// quotation marks that input methods write, `“…”` and `「…」`, count as well.
public struct QueryTerms: Sendable, Hashable {
    /// The sentence; nil if nothing is left of it.
    public var text: String?
    /// What is to be left out, each once.
    public var without: [String]
    /// How much words and phrases of the sentence weigh.
    public var emphasis: [String: Double]

    /// Terms that are known already.
    public init(text: String?, without: [String] = [], emphasis: [String: Double] = [:]) {
        self.text = text
        self.without = without
        self.emphasis = emphasis
    }

    /// Reads what somebody typed; anything can be read.
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

    /// The query for them.
    public func query(
        images: [QueryImage] = [], unlike: [QueryImage] = []
    ) -> SearchQuery {
        SearchQuery(
            text: text, images: images, without: without, unlike: unlike, emphasis: emphasis)
    }
}

/// Takes a text apart into words and what is marked.
private struct TermReader {
    enum Term {
        case word(Substring)
        case without(String)
        /// With punctuation that follows the weight.
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

    /// The next term; nil at the end.
    mutating func next() -> Term? {
        rest = rest.drop(while: \.isWhitespace)
        guard let first = rest.first else { return nil }
        if Self.hyphens.contains(first), let text = leftOut() { return .without(text) }
        if let term = emphasisedPhrase() { return term }
        let word = rest.prefix { !$0.isWhitespace }
        rest = rest[word.endIndex...]
        return emphasised(word) ?? .word(word)
    }

    /// What a hyphen at the beginning marks; nil if it marks nothing.
    private mutating func leftOut() -> String? {
        let marked = rest.dropFirst()
        guard let first = marked.first else { return nil }
        if let close = Self.quotes[first] {
            let phrase = marked.dropFirst().prefix { $0 != close }
            guard let text = Self.trimmed(phrase) else { return nil }
            // A mark that is not closed reaches to the end.
            rest = rest[phrase.endIndex...].dropFirst()
            return text
        }
        guard first.isLetter else { return nil }
        let word = marked.prefix { !$0.isWhitespace }
        guard let text = Self.trimmed(word) else { return nil }
        rest = rest[word.endIndex...]
        return text
    }

    /// A phrase in quotation marks with a weight behind; nil if there is none.
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

    /// A word with a weight behind; nil if it has none.
    private func emphasised(_ word: Substring) -> Term? {
        guard let caret = word.lastIndex(where: Self.carets.contains),
            let (weight, punctuation) = Self.weight(word[word.index(after: caret)...])
        else { return nil }
        let text = word[..<caret]
        guard text.contains(where: \.isLetter), !text.contains(where: Self.carets.contains)
        else { return nil }
        return .emphasised(String(text), weight: weight, rest: punctuation)
    }

    /// A weight, such as 2 or 0.5, and the punctuation behind it.
    private static func weight(_ text: Substring) -> (Double, Substring)? {
        let end = text.lastIndex { !punctuation.contains($0) }
        let number = end.map { text[...$0] } ?? ""
        guard let first = number.first, first.isASCII, first.isNumber,
            number.allSatisfy({ $0.isASCII && ($0.isNumber || $0 == ".") }),
            let weight = Double(number)
        else { return nil }
        return (weight, text[number.endIndex...])
    }

    /// A phrase without punctuation and spaces around it; nil if it has no letter or digit.
    private static func trimmed(_ phrase: Substring) -> String? {
        var phrase = phrase.drop { $0.isWhitespace || punctuation.contains($0) }
        while let last = phrase.last, last.isWhitespace || punctuation.contains(last) {
            phrase.removeLast()
        }
        return phrase.contains { $0.isLetter || $0.isNumber } ? String(phrase) : nil
    }
}
