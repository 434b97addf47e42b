/// How often each word occurs in a set of captions.
///
/// Captions are cleaned and cut into words exactly as ``TextInput`` and
/// ``WordPieceTokenizer`` will do it, so that what is counted is what will be tokenized: words in
/// lower case without accents (unless cased), every ideograph and punctuation mark for itself.
public struct WordCounts: Sendable {
    /// The cleaning of a caption before it is cut; `nil` for none.
    public let rules: TextRules?
    /// Whether words are lower-cased and lose their accents.
    public let isUncased: Bool
    /// How many captions were added.
    public private(set) var captions = 0
    /// How many words they had.
    public private(set) var total = 0
    /// How many different words they had.
    public var distinct: Int { counts.count }

    /// By the bytes of the word: equality of `String` would take different spellings for one.
    private(set) var counts: [[UInt8]: Int] = [:]

    /// Counts nothing yet.
    ///
    /// - Parameters:
    ///   - rules: The cleaning of a caption; ``TextRules/albef`` by default, `nil` for none.
    ///   - isUncased: As of the tokenizer that will use the vocabulary.
    public init(rules: TextRules? = .albef, isUncased: Bool = true) {
        self.rules = rules
        self.isUncased = isUncased
    }

    /// Adds the words of a caption.
    public mutating func add(_ caption: String) {
        captions += 1
        var splitter = WordSplitter(rules?.caption(caption) ?? caption, isUncased: isUncased)
        while splitter.next(BertCharacter.basicPlane) != nil {
            total += 1
            if let index = counts.index(forKey: splitter.word) {
                counts.values[index] += 1
            } else {
                // A copy of the right size: the splitter's own buffer has room for long words.
                counts[Array(splitter.word[...])] = 1
            }
        }
    }

    /// Adds the words of many captions.
    public mutating func add(_ captions: some Sequence<String>) {
        for caption in captions { add(caption) }
    }

    /// How often a word occurs, spelled as the tokenizer sees it.
    public subscript(word: String) -> Int { counts[Array(word.utf8)] ?? 0 }
}

/// One Unicode scalar after the other of UTF-8 that is known to be valid.
struct Scalars: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// The bytes of the next scalar.
    mutating func next() -> ArraySlice<UInt8>? {
        guard position < bytes.count else { return nil }
        let start = position
        position += 1
        while position < bytes.count, bytes[position] & 0xC0 == 0x80 { position += 1 }
        return bytes[start..<position]
    }
}
