/// The cleaning, framing, truncation and padding of a model's texts.
///
/// A model directory's `config.json` stores it:
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
/// The tokenizer that is created from OpenCLIP's list of merges cleans texts itself, as OpenCLIP
/// does.
///
/// A text encoder without an attention mask also reads the padding. In that case the length and the
/// padding belong to the weights as much as the vocabulary does.
public struct TextFraming: Sendable, Hashable {
    /// The cleaning of a text before the tokenizer.
    public var cleaning = TextCleaning.none
    /// The ids before a text.
    public var start: [Int] = []
    /// The ids after a text, including a truncated one.
    public var end: [Int] = []
    /// The maximum number of tokens per row, including ``start`` and ``end``; `nil` for no limit.
    public var length: Int?
    /// Whether every row is padded to ``length``.
    public var isFixedLength = false
    /// The id that fills a row.
    public var padding = 0

    /// The largest length that files may declare, far above that of any text encoder.
    static let maximumLength = 1 << 16

    /// Creates a framing that adds nothing.
    public init() {}

    /// Creates a framing.
    ///
    /// - Parameters:
    ///   - cleaning: The cleaning of a text before the tokenizer; none by default.
    ///   - start: The ids before a text; none by default.
    ///   - end: The ids after a text; none by default.
    ///   - length: The maximum number of tokens per row; `nil`, the default, for no limit.
    ///   - isFixedLength: Whether every row is padded to `length`; `false` by default.
    ///   - padding: The id that fills a row; 0 by default.
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

    /// Returns the token ids of a text, including those that frame it, without padding.
    ///
    /// - Parameters:
    ///   - text: The text as typed or as annotated.
    ///   - tokenizer: The tokenizer of the model.
    public func ids(of text: String, by tokenizer: Tokenizer) -> [Int] {
        framed(tokenizer.ids(of: cleaning.clean(text), limit: room))
    }

    /// Returns the token ids of a text with those that frame it.
    package func framed(_ ids: [Int]) -> [Int] { start + ids + end }

    /// Returns the words of a text; their tokens are positions in ``ids(of:by:)``.
    ///
    /// - Parameters:
    ///   - text: The text as typed or as annotated.
    ///   - tokenizer: The tokenizer of the model.
    public func words(of text: String, by tokenizer: Tokenizer) -> [TokenizedWord] {
        tokenizer.words(of: cleaning.clean(text), limit: room).map { word in
            let tokens = word.tokens
            return TokenizedWord(
                text: word.text,
                tokens: tokens.lowerBound + start.count..<tokens.upperBound + start.count)
        }
    }

    /// Returns texts as the rows of a text encoder's input.
    ///
    /// - Parameters:
    ///   - texts: The texts as typed or as annotated.
    ///   - tokenizer: The tokenizer of the model.
    /// - Returns: The ids and the mask, `[texts.count, L]`.
    public func batch(_ texts: [String], by tokenizer: Tokenizer) -> TokenBatch {
        batch(rows: texts.map { ids(of: $0, by: tokenizer) })
    }

    /// Pads the token ids of texts, which ``ids(of:by:)`` returned.
    ///
    /// - Returns: The ids and the mask, `[rows.count, L]`.
    public func batch(rows: [[Int]]) -> TokenBatch {
        let length = isFixedLength ? length : nil
        return TokenBatch(
            rows: rows, padding: length.map { .fixed($0) } ?? .longest, paddingID: padding)
    }

    /// The number of tokens of a text that fit between ``start`` and ``end``.
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

    /// Decodes a framing; a missing key has its value in ``init()``.
    ///
    /// - Throws: `DecodingError` for an unknown cleaning, an id out of range, or a length that does
    ///   not fit ``start`` and ``end``.
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
        if let length, length < start.count + end.count || length > Self.maximumLength {
            throw fault(
                .length,
                "the length must be \(start.count + end.count) to \(Self.maximumLength) tokens, not"
                    + " \(length)")
        }
        if isFixedLength, length == nil { throw fault(.length, "\"fixed\" requires a length") }
    }

    /// Encodes a framing with all keys except a missing length.
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
