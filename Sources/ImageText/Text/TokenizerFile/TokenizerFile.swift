/// A `tokenizer.json` of the `tokenizers` library: a tokenizer and its framing of texts.
///
/// The reader supports the component types of the public image-text models. It rejects any other
/// type with an error that names the type and its place. The ids are those of the library.
struct TokenizerFile {
    let tokenizer: Tokenizer
    let framing: TextFraming

    /// Reads the content of a file.
    ///
    /// - Parameters:
    ///   - bytes: The JSON.
    ///   - source: The name of the file in errors.
    ///   - readsSpecial: Whether the spellings of special tokens in a text are read as those
    ///     tokens.
    /// - Throws: ``TokenizerError``.
    init(_ bytes: [UInt8], source: String, readsSpecial: Bool) throws(TokenizerError) {
        let root = try JSONObject(try JSONPart(bytes, source: source))
        let added = try Self.added(root["added_tokens"])
        let model = try JSONObject(try root.required("model"))
        switch try Self.type(of: model) {
        case "WordPiece":
            tokenizer = try WordPieceFile.tokenizer(
                root, model: model, added: added, readsSpecial: readsSpecial)
        case "BPE":
            tokenizer = try Self.pipeline(
                root, .bytePairs(try BytePairFile.model(root, model)), added, readsSpecial)
        case "Unigram":
            let special = readsSpecial ? [] : added.filter(\.isSpecial).map(\.id)
            tokenizer = try Self.pipeline(
                root, .unigram(try Self.unigram(model, hidden: Set(special))), added, readsSpecial)
        case let type:
            throw model.part.unsupported(
                "the type \(type) is not supported; supported are WordPiece, BPE and Unigram")
        }
        framing = try FramingFile.framing(root, tokenizer: tokenizer)
    }

    /// Returns the type of the model, which files of old releases do not name.
    private static func type(of model: JSONObject) throws(TokenizerError) -> String {
        if let type = model["type"] { return try type.string() }
        if model["merges"] != nil { return "BPE" }
        if model["max_input_chars_per_word"] != nil { return "WordPiece" }
        throw model.part.fault("\"type\" is missing")
    }

    private static func pipeline(
        _ root: JSONObject, _ model: TokenPipeline.Model, _ added: [AddedTokens.Token],
        _ readsSpecial: Bool
    ) throws(TokenizerError) -> Tokenizer {
        let pipeline = TokenPipeline(
            normalizers: try NormalizerFile.normalizers(root["normalizer"]),
            splitters: try SplitterFile.splitters(root["pre_tokenizer"]).splitters, model: model,
            added: added, readsSpecial: readsSpecial)
        if let part = root["added_tokens"] {
            for token in added { try check(token, against: pipeline.pieces, part) }
        }
        return .pipeline(pipeline)
    }

    /// Checks that an added token and the vocabulary agree on its id and its spelling.
    static func check(
        _ token: AddedTokens.Token, against pieces: PieceTable, _ part: JSONPart
    ) throws(TokenizerError) {
        if let id = pieces.id(of: token.content.utf8), Int(id) != token.id {
            throw part.fault(
                "'\(token.content)' has the id \(token.id), but the id \(id) in the vocabulary")
        }
        if let bytes = pieces.bytes(of: token.id), !bytes.elementsEqual(token.content.utf8) {
            throw part.fault(
                "'\(token.content)' has the id \(token.id), which the vocabulary assigns to "
                    + "'\(String(decoding: bytes, as: UTF8.self))'")
        }
    }

    private static func added(
        _ part: JSONPart?
    ) throws(TokenizerError) -> [AddedTokens.Token] {
        guard let part else { return [] }
        var tokens: [AddedTokens.Token] = []
        for element in try part.elements() {
            let object = try JSONObject(element)
            var token = AddedTokens.Token(
                content: try object.required("content").string(),
                id: try object.required("id").id())
            if token.content.isEmpty { throw element.fault("\"content\" is empty") }
            if try object.flag("single_word", default: false) {
                throw element.unsupported("single_word in an added token is not supported")
            }
            token.isSpecial = try object.flag("special", default: false)
            token.isNormalized = try object.flag("normalized", default: !token.isSpecial)
            token.takesSpaceBefore = try object.flag("lstrip", default: false)
            token.takesSpaceAfter = try object.flag("rstrip", default: false)
            tokens.append(token)
        }
        return tokens
    }

    private static func unigram(
        _ model: JSONObject, hidden: Set<Int>
    ) throws(TokenizerError) -> UnigramModel {
        let vocabulary = try model.required("vocab")
        var pieces: [UnigramModel.Piece] = []
        try vocabulary.forEachElement { index, part throws(TokenizerError) in
            guard index <= PieceTable.largestID else {
                throw vocabulary.fault("there are more than \(PieceTable.largestID + 1) pieces")
            }
            let pair = try part.elements()
            guard pair.count == 2 else {
                throw vocabulary.fault("entry \(index) is not a pair of a piece and its score")
            }
            var piece = UnigramModel.Piece(
                text: try pair[0].utf8(), score: try pair[1].double())
            if hidden.contains(index) || piece.text.isEmpty { piece.kind = .hidden }
            pieces.append(piece)
        }
        let unknown = try model.required("unk_id")
        let id = try unknown.count()
        guard id < pieces.count else {
            throw unknown.fault("piece \(id) does not exist; there are \(pieces.count) pieces")
        }
        return UnigramModel(
            pieces, unknown: id,
            fallsBackToBytes: try model.flag("byte_fallback", default: false), arithmetic: .double)
    }
}
