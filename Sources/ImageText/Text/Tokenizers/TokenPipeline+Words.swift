extension TokenPipeline {
    /// What begins the first token of a word in vocabularies of SentencePiece's kind.
    private static let mark = SentencePieceNormalizer.mark

    /// The words of a text.
    ///
    /// Where pieces are words (CLIP: each ends with a `</w>`) a word is a piece. Else a word begins
    /// with the token that begins with `▁`. An added token is a word of its own.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: Stop after this many tokens; a word that would go on after that ends there.
    public func words(of text: String, limit: Int = .max) -> [TokenizedWord] {
        var words: [TokenizedWord] = []
        // The bytes and tokens of the word that may go on with the next piece.
        var open: (bytes: [UInt8], tokens: Range<Int>)?
        func close() {
            if let open {
                words.append(TokenizedWord(text: Self.text(open.bytes), tokens: open.tokens))
            }
            open = nil
        }
        _ = encode(text, limit: limit) { origin, tokens in
            switch origin {
            case .added(let id):
                close()
                let spelling = self.tokens(of: [id]).first.flatMap { $0 } ?? ""
                words.append(TokenizedWord(text: spelling, tokens: tokens))
            case .piece(let piece, _) where hasWordPieces:
                close()
                if !tokens.isEmpty { open = (Array(piece), tokens) }
                close()
            case .piece(let piece, let ends):
                var start = piece.startIndex
                for (token, end) in zip(tokens, ends) {
                    let end = min(piece.startIndex + end, piece.endIndex)
                    let bytes = piece[min(start, end)..<end]
                    start = end
                    if var word = open, !bytes.starts(with: Self.mark) {
                        word.bytes += bytes
                        word.tokens = word.tokens.lowerBound..<token + 1
                        open = word
                    } else {
                        close()
                        open = (Array(bytes), token..<token + 1)
                    }
                }
            }
        }
        close()
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
    private static func text(_ bytes: [UInt8]) -> String {
        var rest = bytes[...]
        while rest.starts(with: mark) { rest = rest.dropFirst(mark.count) }
        if rest.first == 0x20 { rest = rest.dropFirst() }
        return String(decoding: rest, as: UTF8.self)
    }
}
