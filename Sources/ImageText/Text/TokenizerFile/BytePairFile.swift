/// Reads byte pair models: the `model` of `tokenizer.json`, and `vocab.json` with `merges.txt`.
enum BytePairFile {
    /// Reads the model of a `tokenizer.json`.
    static func model(
        _ root: JSONObject, _ model: JSONObject
    ) throws(TokenizerError) -> BytePairModel {
        for (name, isOff) in [
            ("dropout", true), ("ignore_merges", try !model.flag("ignore_merges", default: false)),
            (
                "continuing_subword_prefix",
                try model["continuing_subword_prefix"]?.utf8().isEmpty ?? true
            ),
        ] where !isOff || (name == "dropout" && model["dropout"] != nil) {
            throw model.part.unsupported("\(name) is not supported")
        }
        let isByteLevel = try SplitterFile.splitters(root["pre_tokenizer"]).isByteLevel
        let fallsBack = try model.flag("byte_fallback", default: false)
        if isByteLevel, fallsBack {
            throw model.part.unsupported(
                "byte_fallback with a ByteLevel pre_tokenizer is not supported")
        }
        let pieces = try vocabulary(try model.required("vocab"))
        let merges = try model.required("merges")
        var pairs = PairTable(capacity: pieces.count)
        try merges.forEachElement { index, part throws(TokenizerError) in
            let (left, right) = try pair(part, index: index)
            guard let merge = self.merge(left, right, rank: index, pieces) else {
                throw merges.fault(notInVocabulary(left, right, "merge \(index)"))
            }
            pairs.insert(merge.left, merge.right, merge.merge)
        }
        var unknown: Int32?
        if let part = model["unk_token"] {
            unknown = pieces.id(of: try part.utf8())
            if unknown == nil { throw part.fault("the vocabulary lacks \(try part.string())") }
        }
        return BytePairModel(
            .init(
                pieces: pieces, pairs: pairs,
                alphabet: isByteLevel ? .bytes : .scalars(fallsBackToBytes: fallsBack),
                suffix: try model["end_of_word_suffix"]?.string() ?? "", unknown: unknown,
                fusesUnknown: try model.flag("fuse_unk", default: false)))
    }

    /// Reads an object that maps pieces to ids.
    static func vocabulary(_ part: JSONPart) throws(TokenizerError) -> PieceTable {
        var pieces = PieceTable(capacity: 1 << 16)
        try part.forEachMember { piece, id throws(TokenizerError) in
            let id = try id.id()
            if let other = pieces.spelling(of: id) {
                let piece = String(decoding: piece, as: UTF8.self)
                throw part.fault("'\(other)' and '\(piece)' share the id \(id)")
            }
            guard pieces.insert(piece, id: id) else {
                throw part.fault("'\(String(decoding: piece, as: UTF8.self))' occurs twice")
            }
        }
        return pieces
    }

    /// Returns two pieces and their merge; `nil` if the vocabulary lacks one of the three.
    static func merge(
        _ left: some Collection<UInt8>, _ right: some Collection<UInt8>, rank: Int,
        _ pieces: PieceTable
    ) -> (left: Int32, right: Int32, merge: PairTable.Merge)? {
        guard let first = pieces.id(of: left), let second = pieces.id(of: right),
            let both = pieces.id(of: Array(left) + Array(right)),
            let rank = Int32(exactly: rank)
        else { return nil }
        return (first, second, PairTable.Merge(rank: rank, token: both))
    }

    static func notInVocabulary(
        _ left: some Sequence<UInt8>, _ right: some Sequence<UInt8>, _ place: String
    ) -> String {
        let pair = [Array(left), Array(right)].map { String(decoding: $0, as: UTF8.self) }
        return "\(place), '\(pair[0])' and '\(pair[1])': "
            + "the vocabulary lacks one of them or their merge"
    }

    /// Reads a merge: `"a b"` in older files, `["a", "b"]` in newer ones.
    private static func pair(
        _ part: JSONPart, index: Int
    ) throws(TokenizerError) -> ([UInt8], [UInt8]) {
        if part.isString {
            let text = try part.utf8()
            let parts = text.split(separator: 0x20, omittingEmptySubsequences: false)
            if parts.count == 2 { return (Array(parts[0]), Array(parts[1])) }
        } else if part.isArray {
            let parts = try part.elements()
            if parts.count == 2 { return (try parts[0].utf8(), try parts[1].utf8()) }
        }
        throw part.fault("merge \(index) does not consist of two pieces")
    }
}
