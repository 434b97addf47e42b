/// What each token of a new vocabulary is made of, where a text encoder knows another one.
public struct VocabularyChange: Sendable {
    /// What a token's embedding can be taken from.
    public enum Origin: Sendable, Hashable {
        /// The same token of the old vocabulary.
        case same(Int)
        /// The tokens of the old vocabulary that spell its gloss; one at least.
        case gloss([Int])
        /// Nothing: the old vocabulary lacks the token, and it has no gloss.
        case none
    }

    /// For each token of the new vocabulary, in its order.
    public let origins: [Origin]

    /// Finds what each token is made of.
    ///
    /// A token that both vocabularies have needs no gloss, and one it has is not looked at.
    ///
    /// - Parameters:
    ///   - old: what the text encoder knows.
    ///   - new: what it shall know.
    ///   - glosses: what tokens mean in words of the old vocabulary. Words that it cannot spell are
    ///     left out of a gloss. Glosses of tokens that the new vocabulary lacks change nothing.
    /// - Throws: ``GlossError`` for a gloss that is needed and of which no word is known.
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
