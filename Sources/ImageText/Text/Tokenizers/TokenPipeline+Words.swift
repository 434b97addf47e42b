extension TokenPipeline {
    /// The mark at the start of a word's first token in vocabularies like SentencePiece's.
    private static let mark = SentencePieceNormalizer.mark

    /// Returns the words of a text.
    ///
    /// In CLIP's vocabulary, whose words end with `</w>`, every piece is a word. In others a word
    /// begins with a piece, and within a piece with every token that begins with `▁`. An added
    /// token is a word.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: The maximum number of tokens; a word that exceeds it is cut off.
    public func words(of text: String, limit: Int = .max) -> [TokenizedWord] {
        var words: [TokenizedWord] = []
        func add(_ bytes: ArraySlice<UInt8>, _ tokens: Range<Int>) {
            if !tokens.isEmpty {
                words.append(TokenizedWord(text: Self.text(bytes), tokens: tokens))
            }
        }
        _ = encode(text, limit: limit) { origin, tokens in
            switch origin {
            case .added(let id):
                let spelling = self.tokens(of: [id]).first.flatMap { $0 } ?? ""
                words.append(TokenizedWord(text: spelling, tokens: tokens))
            case .piece(let piece, _) where hasWordPieces: add(piece, tokens)
            case .piece(let piece, let ends):
                var word = (start: piece.startIndex, token: tokens.lowerBound)
                var start = piece.startIndex
                for (token, end) in zip(tokens, ends) {
                    if token > word.token, piece[start...].starts(with: Self.mark) {
                        add(piece[word.start..<start], word.token..<token)
                        word = (start, token)
                    }
                    start = piece.startIndex + end
                }
                add(piece[word.start..<start], word.token..<tokens.upperBound)
            }
        }
        return words
    }

    /// Whether every piece is a word.
    private var hasWordPieces: Bool {
        switch splitters.last {
        case .clip, .gpt2: true
        default: false
        }
    }

    /// Returns a word as people write it, without marks and the space before it.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var rest = bytes
        while rest.starts(with: mark) { rest = rest.dropFirst(mark.count) }
        if rest.first == 0x20 { rest = rest.dropFirst() }
        return String(decoding: rest, as: UTF8.self)
    }
}
