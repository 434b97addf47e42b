/// How the texts of a model are cleaned, framed, cut and padded.
///
/// A model directory's `config.json` records it:
///
/// ```json
/// {"cleaning": "none", "start": [49406], "end": [49407], "length": 77, "fixed": true, "padding": 0}
/// ```
///
/// | | cleaning | start | end | length | padding |
/// |---|---|---|---|---|---|
/// | ALBEF | ``TextCleaning/albef`` | `[CLS]` | | 25 in pretraining, 30 in retrieval | `[PAD]` |
/// | LAVIS, BLIP | ``TextCleaning/lavis`` | `[CLS]` | `[SEP]` | 30, 35 | `[PAD]` |
/// | CLIP, OpenCLIP | ``TextCleaning/openCLIP`` | 49406 | 49407 | 77 | 0, or 49407 |
/// | SigLIP | ``TextCleaning/siglip`` | | 1 | 64 | 1 |
/// | SigLIP 2 | ``TextCleaning/lowercase`` | | 1 | 64 | 0 |
/// | Chinese-CLIP | ``TextCleaning/none`` | `[CLS]` | `[SEP]` | 52 | `[PAD]` |
///
/// The tokenizer that is made of OpenCLIP's list of merges cleans as OpenCLIP does by itself.
///
/// A text encoder without a mask reads the padding too: then the length and the padding belong to
/// the weights as much as the vocabulary does.
public struct TextFraming: Sendable, Hashable {
    /// What happens to a text before the tokenizer.
    public var cleaning = TextCleaning.none
    /// The ids before a text.
    public var start: [Int] = []
    /// The ids after a text, also after one that is cut.
    public var end: [Int] = []
    /// The most tokens of a row, those that frame it included; nil for any number.
    public var length: Int?
    /// Whether every row is padded to ``length``.
    public var isFixedLength = false
    /// The id that fills a row.
    public var padding = 0

    /// A framing that adds nothing.
    public init() {}

    /// A framing.
    ///
    /// - Parameters:
    ///   - cleaning: What happens to a text before the tokenizer.
    ///   - start: The ids before a text.
    ///   - end: The ids after a text.
    ///   - length: The most tokens of a row; nil for any number.
    ///   - isFixedLength: Whether every row is padded to `length`.
    ///   - padding: The id that fills a row.
    public init(
        cleaning: TextCleaning = .none, start: [Int] = [], end: [Int] = [], length: Int? = nil,
        isFixedLength: Bool = false, padding: Int = 0
    ) {
        self.cleaning = cleaning
        self.start = start
        self.end = end
        self.length = length
        self.isFixedLength = isFixedLength
        self.padding = padding
    }

    /// The token ids of a text with those that frame it, without padding.
    ///
    /// - Parameters:
    ///   - text: As typed or as annotated.
    ///   - tokenizer: What the ids are of.
    public func ids(of text: String, by tokenizer: Tokenizer) -> [Int] {
        start + tokenizer.ids(of: cleaning.clean(text), limit: room) + end
    }

    /// The words of a text; their tokens are places among ``ids(of:by:)``.
    ///
    /// - Parameters:
    ///   - text: As typed or as annotated.
    ///   - tokenizer: What the ids are of.
    public func words(of text: String, by tokenizer: Tokenizer) -> [TokenizedWord] {
        tokenizer.words(of: cleaning.clean(text), limit: room).map { word in
            let tokens = word.tokens
            return TokenizedWord(
                text: word.text,
                tokens: tokens.lowerBound + start.count..<tokens.upperBound + start.count)
        }
    }

    /// Texts as the rows of a text encoder.
    ///
    /// - Parameters:
    ///   - texts: As typed or as annotated.
    ///   - tokenizer: What the ids are of.
    public func batch(_ texts: [String], by tokenizer: Tokenizer) -> TokenBatch {
        let length = isFixedLength ? length : nil
        return TokenBatch(
            rows: texts.map { ids(of: $0, by: tokenizer) },
            padding: length.map { .fixed($0) } ?? .longest, paddingID: padding)
    }

    /// How many tokens of a text there is room for.
    public var room: Int {
        length.map { max(0, $0 - start.count - end.count) } ?? .max
    }
}

extension TextFraming: Codable {
    private enum CodingKeys: String, CodingKey {
        case cleaning, start, end, length
        case isFixedLength = "fixed"
        case padding
    }

    /// Reads a framing; a missing key has the value of ``init()``.
    ///
    /// - Throws: `DecodingError` for an unknown cleaning, a negative id, or a length with no room.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        cleaning = try values.decodeIfPresent(TextCleaning.self, forKey: .cleaning) ?? .none
        start = try values.decodeIfPresent([Int].self, forKey: .start) ?? []
        end = try values.decodeIfPresent([Int].self, forKey: .end) ?? []
        length = try values.decodeIfPresent(Int.self, forKey: .length)
        isFixedLength = try values.decodeIfPresent(Bool.self, forKey: .isFixedLength) ?? false
        padding = try values.decodeIfPresent(Int.self, forKey: .padding) ?? 0
        func fault(_ key: CodingKeys, _ problem: String) -> DecodingError {
            .dataCorruptedError(forKey: key, in: values, debugDescription: problem)
        }
        let ids = 0...PieceTable.largestID
        if !start.allSatisfy(ids.contains) { throw fault(.start, "an id is out of range") }
        if !end.allSatisfy(ids.contains) { throw fault(.end, "an id is out of range") }
        if !ids.contains(padding) { throw fault(.padding, "the id is out of range") }
        if let length, length < start.count + end.count || length > 1 << 16 {
            throw fault(.length, "\(length) tokens are too few or too many")
        }
        if isFixedLength, length == nil { throw fault(.length, "a fixed length needs a length") }
    }

    /// Writes a framing, all keys but a missing length.
    public func encode(to encoder: any Encoder) throws {
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encode(cleaning, forKey: .cleaning)
        try values.encode(start, forKey: .start)
        try values.encode(end, forKey: .end)
        try values.encodeIfPresent(length, forKey: .length)
        try values.encode(isFixedLength, forKey: .isFixedLength)
        try values.encode(padding, forKey: .padding)
    }
}
