/// Tokens that are found anywhere in a text before the model splits it.
struct AddedTokens: Sendable {
    /// An added token.
    struct Token: Sendable {
        var content: String
        var id: Int
        /// Whether it has a special meaning, such as the end of a text.
        var isSpecial = false
        /// Whether it is searched for after normalization, in its own normalized form.
        var isNormalized = false
        /// Whether it includes the white space before it.
        var takesSpaceBefore = false
        /// Whether it includes the white space after it.
        var takesSpaceAfter = false
        /// Whether it is plain text after a symbol, where OpenCLIP's pattern runs into its start.
        var isTextAfterSymbols = false
    }

    /// A part of a text.
    enum Part {
        case text([UInt8])
        case token(Int)
    }

    /// All tokens.
    let tokens: [Token]
    private let raw: Matcher
    private let normalized: Matcher

    /// Creates the matchers for the added tokens of a tokenizer.
    ///
    /// - Parameters:
    ///   - tokens: All added tokens.
    ///   - readsSpecial: Whether the spellings of special tokens in a text are read as those
    ///     tokens.
    ///   - normalizers: The normalization of texts and of normalized tokens.
    init(_ tokens: [Token], readsSpecial: Bool, normalizers: [TextNormalizer]) {
        self.tokens = tokens
        let read = tokens.filter { readsSpecial || !$0.isSpecial }
        raw = Matcher(read.filter { !$0.isNormalized }.map { ($0, Array($0.content.utf8)) })
        normalized = Matcher(
            read.filter(\.isNormalized).map { token in
                let content = normalizers.reduce(Array(token.content.utf8)) { $1.normalized($0) }
                return (token, content)
            })
    }

    /// Splits a text at the tokens that are searched for before normalization.
    func split(raw text: [UInt8]) -> [Part] { raw.split(text) }

    /// Splits a normalized text at the other tokens.
    func split(normalized text: [UInt8]) -> [Part] { normalized.split(text) }

    /// Finds the leftmost token, and of several at one position the longest.
    private struct Matcher: Sendable {
        private var tokens: [Token] = []
        private var trie = TokenTrie(roots: 1, capacity: 0)
        private var starts = [Bool](repeating: false, count: 256)

        init(_ tokens: [(Token, [UInt8])]) {
            for (token, content) in tokens {
                guard let first = content.first else { continue }
                starts[Int(first)] = true
                _ = trie.insert(content, token: Int32(self.tokens.count), root: 0)
                self.tokens.append(token)
            }
        }

        func split(_ text: [UInt8]) -> [Part] {
            if tokens.isEmpty || text.isEmpty { return [.text(text)] }
            var parts: [Part] = []
            var start = 0
            var place = 0
            while place < text.count {
                guard starts[Int(text[place])],
                    let match = trie.longestMatch(in: text, from: place, root: 0)
                else {
                    place += 1
                    continue
                }
                let token = tokens[Int(match.token)]
                if token.isTextAfterSymbols, place > start, Self.followsSymbol(text, place) {
                    place += 1
                    continue
                }
                var first = place
                if token.takesSpaceBefore { first = Self.spaceStart(text, place, after: start) }
                if start < first { parts.append(.text(Array(text[start..<first]))) }
                parts.append(.token(token.id))
                place = match.end
                if token.takesSpaceAfter { place = Self.spaceEnd(text, place) }
                start = place
            }
            if start < text.count { parts.append(.text(Array(text[start...]))) }
            return parts
        }

        private static func spaceStart(_ text: [UInt8], _ end: Int, after start: Int) -> Int {
            var place = end
            while place > start {
                var previous = place - 1
                while previous > start, text[previous] & 0xC0 == 0x80 { previous -= 1 }
                guard Self.kind(text, previous) == .space else { break }
                place = previous
            }
            return place
        }

        private static func spaceEnd(_ text: [UInt8], _ start: Int) -> Int {
            var place = start
            while place < text.count, kind(text, place) == .space {
                place += UTF8Text.width(text[place])
            }
            return place
        }

        private static func followsSymbol(_ text: [UInt8], _ place: Int) -> Bool {
            var previous = place - 1
            while previous > 0, text[previous] & 0xC0 == 0x80 { previous -= 1 }
            return kind(text, previous) == .other
        }

        private static func kind(_ text: [UInt8], _ place: Int) -> ScalarClass {
            text.withUnsafeBufferPointer { ScalarClass.of(UTF8Text.scalar($0, at: place)) }
        }
    }
}
