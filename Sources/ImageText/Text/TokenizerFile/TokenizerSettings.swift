/// The `tokenizer_config.json` of the `transformers` library: what it adds to a tokenizer's own file.
struct TokenizerSettings {
    static let name = "tokenizer_config.json"

    /// Whether BERT's words are lower-cased: `do_lower_case`.
    let isUncased: Bool
    /// `model_max_length`; nil where it is the huge number that stands for none.
    private let length: Int?
    /// `pad_token`.
    private let padding: String?

    /// Reads the file's bytes.
    ///
    /// - Throws: ``TokenizerError`` naming the member that is wrong.
    init(_ bytes: [UInt8], source: String) throws(TokenizerError) {
        let object = try JSONObject(try JSONPart(bytes, source: source))
        isUncased = try object.flag("do_lower_case", default: true)
        // The number for none has 31 digits, so it is no `Int`.
        let longest = 1 << 16
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

    /// A framing with the length and the padding of the settings, where it has no length.
    func completing(_ framing: TextFraming, by tokenizer: Tokenizer) -> TextFraming {
        var framing = framing
        if framing.length == nil, let length,
            length >= framing.start.count + framing.end.count
        {
            framing.length = length
        }
        // A file that pads to a length says with what.
        if !framing.isFixedLength, let padding, let id = tokenizer.id(of: padding) {
            framing.padding = id
        }
        return framing
    }
}
