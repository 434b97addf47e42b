/// The `tokenizer_config.json` of the `transformers` library, which supplements a tokenizer's file.
struct TokenizerSettings {
    static let name = "tokenizer_config.json"

    /// The value of `do_lower_case`: whether BERT's words are lower-cased.
    let isUncased: Bool
    /// The value of `model_max_length`; `nil` for the huge number that means no limit.
    private let length: Int?
    /// The value of `pad_token`.
    private let padding: String?

    /// Reads the content of the file.
    ///
    /// - Throws: ``TokenizerError``, which names the invalid member.
    init(_ bytes: [UInt8], source: String) throws(TokenizerError) {
        let object = try JSONObject(try JSONPart(bytes, source: source))
        isUncased = try object.flag("do_lower_case", default: true)
        // The number for no limit has 31 digits and does not fit into an `Int`.
        let longest = TextFraming.maximumLength
        var length: Int?
        if let part = object["model_max_length"], try part.double() <= Double(longest) {
            length = try part.count()
        }
        self.length = length
        if let part = object["pad_token"] {
            padding =
                part.isObject
                ? try JSONObject(part).required("content").string() : try part.string()
        } else {
            padding = nil
        }
    }

    /// Returns a framing completed by the length and the padding of these settings.
    func completing(_ framing: TextFraming, by tokenizer: Tokenizer) -> TextFraming {
        var framing = framing
        if framing.length == nil, let length,
            length >= framing.start.count + framing.end.count
        {
            framing.length = length
        }
        // A file that pads to a fixed length declares its padding.
        if !framing.isFixedLength, let padding, let id = tokenizer.id(of: padding) {
            framing.padding = id
        }
        return framing
    }
}
