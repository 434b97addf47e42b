extension TokenPipeline {
    /// What begins the first token of a word in vocabularies of SentencePiece's kind.
    private static let mark = SentencePieceNormalizer.mark

    /// The words of a text.
    ///
    /// Where pieces are words (CLIP: each ends with a `</w>`) a word is a piece. Else a word begins
    /// with its piece, and in it with every token that begins with `▁`. An added token is a word of
    /// its own.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: Stop after this many tokens; a word that would go on after that ends there.
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

    /// A word as people write it: without marks, and without the space in front.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String {
        var rest = bytes
        while rest.starts(with: mark) { rest = rest.dropFirst(mark.count) }
        if rest.first == 0x20 { rest = rest.dropFirst() }
        return String(decoding: rest, as: UTF8.self)
    }
}
