extension Tokenizer {
    /// Creates CLIP's tokenizer from the list of merges that OpenAI and OpenCLIP publish as
    /// `bpe_simple_vocab_16e6.txt`.
    ///
    /// The tokenizer includes ``TextCleaning/openCLIP``. Its ids are those of OpenCLIP's
    /// `SimpleTokenizer` for any text without mojibake, which only OpenCLIP repairs.
    ///
    /// - Parameters:
    ///   - merges: The text of the list: a header, then two pieces per line. Merges after the first
    ///     48,894 are ignored, as in CLIP.
    ///   - source: The name of the list in errors.
    ///   - readsSpecial: Whether `<start_of_text>` and `<end_of_text>` in a text are read as those
    ///     tokens, as in OpenCLIP; `false` by default, so that a query cannot inject them.
    /// - Throws: ``TokenizerError``, which names the line.
    public static func clip(
        merges: String, source: String = "merges", readsSpecial: Bool = false
    ) throws(TokenizerError) -> Tokenizer {
        try CLIPVocabulary.tokenizer(
            merges: Array(merges.utf8), source: source, readsSpecial: readsSpecial)
    }
}

/// Reads CLIP's vocabulary in its two older formats.
enum CLIPVocabulary {
    /// The suffix of a word's last piece.
    static let suffix = "</w>"
    /// The 49,152 tokens without the bytes and the bytes that end a word, as CLIP counts them.
    private static let mergeCount = 49_152 - 256 - 2

    static func tokenizer(
        merges: [UInt8], source: String, readsSpecial: Bool
    ) throws(TokenizerError) -> Tokenizer {
        let lines = try lines(merges, source: source)
        guard let header = lines.first, contains(header, "#version") else {
            throw TokenizerError(
                .malformed("line 1", "the header with #version is missing"), source: source)
        }
        var pieces = PieceTable(capacity: mergeCount + 514)
        var id = 0
        for end in ["", suffix] {
            for byte in ByteCharacters.clipOrder {
                pieces.insert(ByteCharacters.utf8[byte] + Array(end.utf8), id: id)
                id += 1
            }
        }
        var pairs = PairTable(capacity: mergeCount)
        // Every merge makes a token, even if its spelling already has one.
        for (rank, line) in lines.dropFirst().prefix(mergeCount).enumerated() {
            let (left, right) = try pair(line, number: rank + 2, source: source)
            pieces.insert(left + right, id: id)
            id += 1
            guard let merge = BytePairFile.merge(left, right, rank: rank, pieces) else {
                throw TokenizerError(
                    .malformed(
                        "line \(rank + 2)", "a piece of this merge is not made by any line before"),
                    source: source)
            }
            pairs.insert(merge.left, merge.right, merge.merge)
        }
        let special = ["<start_of_text>", "<end_of_text>"].enumerated().map { place, content in
            AddedTokens.Token(
                content: content, id: id + place, isSpecial: true, isNormalized: true,
                isTextAfterSymbols: true)
        }
        return .pipeline(
            TokenPipeline(
                normalizers: [.openCLIP], splitters: [.clip(folds: true)],
                model: .bytePairs(
                    BytePairModel(
                        .init(pieces: pieces, pairs: pairs, alphabet: .bytes, suffix: suffix))),
                added: special, readsSpecial: readsSpecial))
    }

    /// Reads `vocab.json` with `merges.txt`, which the `transformers` library wrote before
    /// `tokenizer.json` existed, with the same meaning.
    static func tokenizer(
        vocabulary: [UInt8], merges: [UInt8], sources: (vocabulary: String, merges: String),
        readsSpecial: Bool
    ) throws(TokenizerError) -> Tokenizer {
        let part = try JSONPart(vocabulary, source: sources.vocabulary)
        let pieces = try BytePairFile.vocabulary(part)
        guard let end = pieces.id(of: "<|endoftext|>".utf8),
            let start = pieces.id(of: "<|startoftext|>".utf8)
        else {
            throw part.fault(
                "<|startoftext|> or <|endoftext|> is missing: this is not CLIP's vocabulary")
        }
        var pairs = PairTable(capacity: pieces.count)
        var rank = 0
        for (index, line) in try lines(merges, source: sources.merges).enumerated()
        where !line.starts(with: "#version".utf8) {
            let (left, right) = try pair(line, number: index + 1, source: sources.merges)
            guard let merge = BytePairFile.merge(left, right, rank: rank, pieces) else {
                throw TokenizerError(
                    .malformed(
                        "line \(index + 1)",
                        BytePairFile.notInVocabulary(left, right, "the merge")),
                    source: sources.merges)
            }
            pairs.insert(merge.left, merge.right, merge.merge)
            rank += 1
        }
        let special = [("<|startoftext|>", start), ("<|endoftext|>", end)].map {
            AddedTokens.Token(content: $0.0, id: Int($0.1), isSpecial: true)
        }
        return .pipeline(
            TokenPipeline(
                normalizers: [.normalForm(.nfc), .replaceWhiteSpace(by: " "), .lowercase],
                splitters: [.clip(folds: false)],
                model: .bytePairs(
                    BytePairModel(
                        .init(
                            pieces: pieces, pairs: pairs, alphabet: .bytes, suffix: suffix,
                            unknown: end))),
                added: special, readsSpecial: readsSpecial))
    }

    private static func lines(
        _ bytes: [UInt8], source: String
    ) throws(TokenizerError) -> [ArraySlice<UInt8>] {
        if bytes.starts(with: [0x1F, 0x8B]) {
            throw TokenizerError(
                .unsupported("byte 0", "the file is compressed; unpack it with gunzip"),
                source: source)
        }
        var lines = TextFile.lines(bytes)
        if lines.last?.isEmpty == true { lines.removeLast() }
        return lines
    }

    private static func pair(
        _ line: ArraySlice<UInt8>, number: Int, source: String
    ) throws(TokenizerError) -> ([UInt8], [UInt8]) {
        let parts = line.split(separator: 0x20)
        guard parts.count == 2, String(validating: line, as: UTF8.self) != nil else {
            throw TokenizerError(
                .malformed("line \(number)", "the line is not two pieces separated by a space"),
                source: source)
        }
        return (Array(parts[0]), Array(parts[1]))
    }

    private static func contains(_ line: ArraySlice<UInt8>, _ text: String) -> Bool {
        String(decoding: line, as: UTF8.self).contains(text)
    }
}
