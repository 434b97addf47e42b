/// The origin of each token when a text encoder changes from one vocabulary to another.
public struct VocabularyChange: Sendable {
    /// The source of a token's embedding.
    public enum Origin: Sendable, Hashable {
        /// The same token of the old vocabulary.
        case same(Int)
        /// The tokens of the old vocabulary that spell its gloss; at least one.
        case gloss([Int])
        /// No source: the old vocabulary lacks the token, and it has no gloss.
        case none
    }

    /// The origin of each token of the new vocabulary, in order.
    public let origins: [Origin]

    /// Finds the origin of each token.
    ///
    /// A token in both vocabularies needs no gloss; if it has one, the gloss is ignored.
    ///
    /// - Parameters:
    ///   - old: The vocabulary of the text encoder.
    ///   - new: The vocabulary that replaces it.
    ///   - glosses: The meanings of tokens in words of the old vocabulary. Words that it cannot
    ///     spell are left out. Glosses of tokens that the new vocabulary lacks are ignored.
    /// - Throws: ``GlossError`` if the old vocabulary can spell no word of a required gloss.
    public init(
        from old: Vocabulary, to new: Vocabulary, glosses: Glosses? = nil
    ) throws(GlossError) {
        let tokenizer = WordPieceTokenizer(vocabulary: old)
        var origins: [Origin] = []
        origins.reserveCapacity(new.count)
        for token in new.tokens {
            if let id = old.id(of: token) {
                origins.append(.same(id))
            } else if let glosses, let gloss = glosses[token] {
                let ids = tokenizer.ids(of: gloss.text).filter { $0 != old.special.unknown }
                guard !ids.isEmpty else {
                    throw GlossError(
                        .unknownWords(line: gloss.line, token: token, text: gloss.text),
                        source: glosses.source)
                }
                origins.append(.gloss(ids))
            } else {
                origins.append(.none)
            }
        }
        self.origins = origins
    }
}
