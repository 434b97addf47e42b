public import SystemPackage

/// The tokenizer of a model folder, and the framing of texts that its files declare.
public struct TokenizerOfFolder: Sendable {
    /// The tokenizer.
    public let tokenizer: Tokenizer
    /// The framing of texts; `vocab.txt` and SentencePiece files declare no length.
    public let framing: TextFraming
    /// The files that were read.
    public let files: [FilePath]
}

extension Tokenizer {
    /// Reads the tokenizer of a folder with a model that someone else published.
    ///
    /// The first of these that exists is read: `tokenizer.json`; `vocab.json` with `merges.txt`
    /// (CLIP's); `spiece.model`, `sentencepiece.bpe.model` or `tokenizer.model`;
    /// `bpe_simple_vocab_16e6.txt`; `vocab.txt` (BERT's). If `tokenizer_config.json` exists, it
    /// supplies the length and the padding that the tokenizer's own file does not declare, and
    /// whether BERT's words are lower-cased. Without it they are.
    ///
    /// - Parameters:
    ///   - folder: The folder.
    ///   - readsSpecial: Whether the spellings of special tokens in a text, such as `</s>`, are
    ///     read as those tokens; `false` by default, so that a query cannot inject them.
    /// - Throws: ``TokenizerError``, which names the file, the place in it and the problem.
    public static func read(
        folder: FilePath, readsSpecial: Bool = false
    ) throws(TokenizerError) -> TokenizerOfFolder {
        func file(_ name: String) -> FilePath? {
            let path = folder.appending(name)
            return (try? OpenFile(path)) == nil ? nil : path
        }
        guard let path = file(TokenizerSettings.name) else {
            return try read(in: folder, file, isUncased: true, readsSpecial: readsSpecial)
        }
        let settings = try TokenizerSettings(try bytes(of: path), source: path.string)
        let read = try read(
            in: folder, file, isUncased: settings.isUncased, readsSpecial: readsSpecial)
        return TokenizerOfFolder(
            tokenizer: read.tokenizer,
            framing: settings.completing(read.framing, by: read.tokenizer),
            files: read.files + [path])
    }

    private static func read(
        in folder: FilePath, _ file: (String) -> FilePath?, isUncased: Bool, readsSpecial: Bool
    ) throws(TokenizerError) -> TokenizerOfFolder {
        if let path = file("tokenizer.json") {
            return try read(file: path, readsSpecial: readsSpecial)
        }
        if let vocabulary = file("vocab.json"), let merges = file("merges.txt") {
            let tokenizer = try CLIPVocabulary.tokenizer(
                vocabulary: try bytes(of: vocabulary), merges: try bytes(of: merges),
                sources: (vocabulary.string, merges.string), readsSpecial: readsSpecial)
            return TokenizerOfFolder(
                tokenizer: tokenizer,
                framing: clipFraming(tokenizer, "<|startoftext|>", "<|endoftext|>"),
                files: [vocabulary, merges])
        }
        for name in [
            "spiece.model", "sentencepiece.bpe.model", "tokenizer.model",
            "bpe_simple_vocab_16e6.txt", "bpe_simple_vocab_16e6.txt.gz", "vocab.txt",
        ] {
            guard let path = file(name) else { continue }
            let (tokenizer, framing) = try read(
                try bytes(of: path), name: name, source: path.string, isUncased: isUncased,
                readsSpecial: readsSpecial)
            return TokenizerOfFolder(tokenizer: tokenizer, framing: framing, files: [path])
        }
        throw TokenizerError(.noTokenizer, source: folder.string)
    }

    /// Reads one file that is a complete tokenizer; its name determines the format.
    ///
    /// - Parameters:
    ///   - path: `….json`, `….model`, `vocab.txt`, or a list of merges in CLIP's format.
    ///   - readsSpecial: As in ``read(folder:readsSpecial:)``.
    /// - Throws: ``TokenizerError``, which names the file, the place in it and the problem.
    public static func read(
        file path: FilePath, readsSpecial: Bool = false
    ) throws(TokenizerError) -> TokenizerOfFolder {
        let (tokenizer, framing) = try read(
            try bytes(of: path), name: path.lastComponent?.string ?? "", source: path.string,
            readsSpecial: readsSpecial)
        return TokenizerOfFolder(tokenizer: tokenizer, framing: framing, files: [path])
    }

    /// Reads the bytes of a file that is a complete tokenizer.
    ///
    /// - Parameters:
    ///   - bytes: The content of the file.
    ///   - name: The name of the file, which determines the format.
    ///   - source: The name of the file in errors.
    ///   - isUncased: Whether BERT's words are lower-cased, which `vocab.txt` does not declare.
    ///   - readsSpecial: As in ``read(folder:readsSpecial:)``.
    package static func read(
        _ bytes: [UInt8], name: String, source: String, isUncased: Bool = true,
        readsSpecial: Bool = false
    ) throws(TokenizerError) -> (tokenizer: Tokenizer, framing: TextFraming) {
        if name.hasSuffix(".json") {
            let file = try TokenizerFile(bytes, source: source, readsSpecial: readsSpecial)
            return (file.tokenizer, file.framing)
        }
        if name.hasSuffix(".model") {
            let file = try SentencePieceFile(bytes, source: source)
            let tokenizer = file.tokenizer(readsSpecial: readsSpecial)
            let end = tokenizer.id(of: "</s>")
            return (
                tokenizer,
                TextFraming(
                    end: end.map { [$0] } ?? [], padding: tokenizer.id(of: "<pad>") ?? end ?? 0)
            )
        }
        if name == "vocab.txt" {
            return try wordPiece(
                bytes, source: source, isUncased: isUncased, readsSpecial: readsSpecial)
        }
        let tokenizer = try CLIPVocabulary.tokenizer(
            merges: bytes, source: source, readsSpecial: readsSpecial)
        return (tokenizer, clipFraming(tokenizer, "<start_of_text>", "<end_of_text>"))
    }

    /// The size limit in bytes: ten times the largest published file.
    private static let longestFile = 1 << 29

    private static func bytes(of path: FilePath) throws(TokenizerError) -> [UInt8] {
        do throws(OpenFile.Fault) {
            var file = try OpenFile(path)
            guard let count = Int(exactly: file.byteCount), count <= longestFile else {
                throw OpenFile.Fault(
                    reason: "it is larger than \(longestFile) bytes, the limit for a tokenizer",
                    errno: nil)
            }
            return TextFile.withoutMark(try file.bytes(count))
        } catch {
            throw TokenizerError(.unreadable(reason: error.reason), source: path.string)
        }
    }

    private static func wordPiece(
        _ bytes: [UInt8], source: String, isUncased: Bool, readsSpecial: Bool
    ) throws(TokenizerError) -> (Tokenizer, TextFraming) {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw TokenizerError(.malformed("byte 0", "the file is not UTF-8"), source: source)
        }
        do throws(VocabularyError) {
            let vocabulary = try Vocabulary(text, source: source)
            let special = vocabulary.special
            return (
                .wordPiece(
                    WordPieceTokenizer(
                        vocabulary: vocabulary, isUncased: isUncased,
                        recognizesSpecialTokens: readsSpecial)),
                TextFraming(
                    start: [special.start], end: [special.separator], padding: special.padding)
            )
        } catch {
            throw TokenizerError(.unreadable(reason: error.description), source: source)
        }
    }

    /// Returns CLIP's framing: 77 tokens, padded with 0.
    private static func clipFraming(
        _ tokenizer: Tokenizer, _ start: String, _ end: String
    ) -> TextFraming {
        TextFraming(
            start: [tokenizer.id(of: start)].compactMap { $0 },
            end: [tokenizer.id(of: end)].compactMap { $0 }, length: 77, isFixedLength: true)
    }
}

extension SentencePieceFile {
    /// Returns the tokenizer of the model.
    func tokenizer(readsSpecial: Bool) -> Tokenizer {
        let special = controls.map { id in
            AddedTokens.Token(
                content: String(decoding: pieces[id].text, as: UTF8.self), id: id, isSpecial: true)
        }
        return .pipeline(
            TokenPipeline(
                normalizers: [.sentencePiece(normalizer)], splitters: [],
                model: .unigram(
                    UnigramModel(
                        pieces, unknown: unknown ?? 0, fallsBackToBytes: fallsBackToBytes,
                        arithmetic: .single)),
                added: special, readsSpecial: readsSpecial))
    }
}
