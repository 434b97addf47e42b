/// Reads BERT's tokenizer from a `tokenizer.json`.
///
/// The result is a ``WordPieceTokenizer``, so only BERT's own normalizer, pre-tokenizer and
/// settings are supported. No public image-text model has others.
enum WordPieceFile {
    static func tokenizer(
        _ root: JSONObject, model: JSONObject, added: [AddedTokens.Token], readsSpecial: Bool
    ) throws(TokenizerError) -> Tokenizer {
        let normalizer = try JSONObject(try root.required("normalizer"))
        let lowercase = try isUncased(normalizer)
        let splitter = try JSONObject(try root.required("pre_tokenizer"))
        guard try splitter.type() == "BertPreTokenizer" else {
            throw splitter.part.unsupported(
                "WordPiece supports only BertPreTokenizer, not \(try splitter.type())")
        }
        if let prefix = model["continuing_subword_prefix"], try prefix.string() != "##" {
            throw prefix.unsupported("WordPiece supports only the prefix ##")
        }
        if let length = model["max_input_chars_per_word"],
            try length.count() != WordPieceTokenizer.maximumWordLength
        {
            throw length.unsupported(
                "WordPiece supports only \(WordPieceTokenizer.maximumWordLength)"
            )
        }
        if let unknown = model["unk_token"], try unknown.string() != "[UNK]" {
            throw unknown.unsupported("WordPiece supports only the unknown token [UNK]")
        }
        let vocabulary = try vocabulary(try model.required("vocab"), added: added)
        return .wordPiece(
            WordPieceTokenizer(
                vocabulary: vocabulary, isUncased: lowercase,
                recognizesSpecialTokens: readsSpecial))
    }

    private static func isUncased(_ normalizer: JSONObject) throws(TokenizerError) -> Bool {
        guard try normalizer.type() == "BertNormalizer" else {
            throw normalizer.part.unsupported(
                "WordPiece supports only BertNormalizer, not \(try normalizer.type())")
        }
        let lowercase = try normalizer.flag("lowercase", default: true)
        for (name, wanted) in [
            ("strip_accents", lowercase), ("clean_text", true), ("handle_chinese_chars", true),
        ] where try normalizer.flag(name, default: wanted) != wanted {
            throw normalizer.part.unsupported(
                "\(name) \(!wanted) with lowercase \(lowercase) is not supported")
        }
        return lowercase
    }

    private static func vocabulary(
        _ part: JSONPart, added: [AddedTokens.Token]
    ) throws(TokenizerError) -> Vocabulary {
        var pieces = try BytePairFile.vocabulary(part)
        for token in added {
            try TokenizerFile.check(token, against: pieces, part)
            pieces.insert(token.content.utf8, id: token.id)
        }
        var lines: [UInt8] = []
        for id in 0..<pieces.count {
            guard let piece = pieces.bytes(of: id) else {
                throw part.fault("no token has the id \(id)")
            }
            guard !piece.contains(0x0A) else {
                throw part.fault("token \(id) contains a line feed")
            }
            lines += piece + [0x0A]
        }
        do {
            return try Vocabulary(String(decoding: lines, as: UTF8.self), source: part.path)
        } catch {
            throw part.fault(error.description)
        }
    }
}
