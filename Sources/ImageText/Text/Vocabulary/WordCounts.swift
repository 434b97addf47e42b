/// The number of occurrences of each word in a set of captions.
///
/// Captions are cleaned and cut into words exactly as ``TextInput`` and ``WordPieceTokenizer`` do,
/// so that the counted words are those that will be tokenized: in lower case without accents
/// (unless cased), with every ideograph and punctuation mark as a word.
public struct WordCounts: Sendable {
    /// The cleaning of a caption before it is cut; `nil` for none.
    public let rules: TextRules?
    /// Whether words are lower-cased and lose their accents.
    public let isUncased: Bool
    /// The number of captions added.
    public private(set) var captions = 0
    /// The number of their words.
    public private(set) var total = 0
    /// The number of distinct words.
    public var distinct: Int { counts.count }

    /// The counts by the bytes of the word, because `String` treats some different words as equal.
    private(set) var counts: [[UInt8]: Int] = [:]

    /// Creates an empty count.
    ///
    /// - Parameters:
    ///   - rules: The cleaning of a caption; ``TextRules/albef`` by default, `nil` for none.
    ///   - isUncased: Whether the tokenizer that will use the vocabulary is uncased; `true` by
    ///     default.
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
                // The copy is exactly as large as the word, unlike the splitter's own buffer.
                counts[Array(splitter.word[...])] = 1
            }
        }
    }

    /// Adds the words of many captions.
    public mutating func add(_ captions: some Sequence<String>) {
        for caption in captions { add(caption) }
    }

    /// Returns the number of occurrences of a word, spelled as the tokenizer reads it.
    public subscript(word: String) -> Int { counts[Array(word.utf8)] ?? 0 }
}

/// The Unicode scalars of valid UTF-8, each as its bytes.
struct Scalars: Sequence, IteratorProtocol {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    /// Returns the bytes of the next scalar.
    mutating func next() -> ArraySlice<UInt8>? {
        guard position < bytes.count else { return nil }
        let start = position
        position += 1
        while position < bytes.count, bytes[position] & 0xC0 == 0x80 { position += 1 }
        return bytes[start..<position]
    }
}
