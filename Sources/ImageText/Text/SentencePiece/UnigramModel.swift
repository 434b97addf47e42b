/// The unigram model: of all ways to spell a text by pieces, the one with the highest sum of scores
/// (Kudo, 2018).
///
/// A character that no piece spells is the unknown token, with a score of 10 below the lowest.
/// Of two ways with one sum the one found first stays, which is the one whose last piece is longer.
///
/// - Complexity: O(n k) for a text of n bytes and pieces of at most k bytes.
struct UnigramModel: Sendable {
    /// A piece of the vocabulary.
    struct Piece: Sendable {
        /// What a piece is for.
        enum Kind: Sendable {
            case normal
            /// Has a score above 0, 0.1 for every byte after the first, whatever the file says, and
            /// so wins over nearly any other spelling: SentencePiece 0.2.
            case userDefined
            /// Not looked for in texts.
            case hidden
        }
        var text: [UInt8]
        var score: Double
        var kind = Kind.normal
    }

    /// How sums are kept: they decide between spellings that are nearly equal.
    enum Arithmetic: Sendable {
        /// 32-bit sums, compared before they are rounded: SentencePiece.
        case single
        /// 64-bit sums: the `tokenizers` library.
        case double
    }

    let pieces: PieceTable
    let unknown: Int32
    private let trie: TokenTrie
    private let scores: [Double]
    /// The pieces of kind `userDefined`, by id; empty if there are none.
    private let isUserDefined: [Bool]
    private let arithmetic: Arithmetic
    private let unknownScore: Double
    private let bytes: [Int32]?

    /// A model over pieces whose ids are their places.
    ///
    /// - Parameters:
    ///   - unknown: The id of the unknown token, a place in `pieces`.
    ///   - fallsBackToBytes: Whether the bytes of unknown characters are tokens such as `<0xE2>`,
    ///     if the pieces have them all.
    init(
        _ pieces: [Piece], unknown: Int, fallsBackToBytes: Bool, arithmetic: Arithmetic
    ) {
        var table = PieceTable(capacity: pieces.count)
        var trie = TokenTrie(
            roots: 1, capacity: pieces.reduce(0) { $0 + $1.text.count } / 2)
        var lowest = Double.infinity
        for (id, piece) in pieces.enumerated() {
            table.insert(piece.text, id: id)
            if piece.kind != .hidden { _ = trie.insert(piece.text, token: Int32(id), root: 0) }
            if arithmetic == .double || piece.kind == .normal {
                lowest = min(lowest, piece.score)
            }
        }
        unknownScore =
            arithmetic == .single ? Double(Float(lowest) - 10) : lowest - 10
        self.pieces = table
        self.trie = trie
        self.unknown = Int32(unknown)
        self.arithmetic = arithmetic
        scores = pieces.map(\.score)
        isUserDefined =
            pieces.contains { $0.kind == .userDefined }
            ? pieces.map { $0.kind == .userDefined } : []
        bytes = fallsBackToBytes ? BytePairModel.fallbackTokens(of: table) : nil
    }

    /// The best spelling of the text up to a place.
    private struct Node {
        var token: Int32 = -1
        /// Where its last piece begins; -1 if none ends here.
        var start: Int32 = -1
        var score = 0.0
    }

    /// Appends the tokens of a text, which is valid UTF-8.
    func append(_ text: UnsafeBufferPointer<UInt8>, to run: inout TokenRun) {
        if text.isEmpty { return }
        var nodes = [Node](repeating: Node(), count: text.count + 1)
        var start = 0
        while start < text.count {
            let width = min(UTF8Text.width(text[start]), text.count - start)
            let sum = nodes[start].score
            var isKnown = false
            trie.forEachMatch(in: text, from: start, root: 0) { token, end in
                isKnown = isKnown || end - start == width
                var score = scores[Int(token)]
                if !isUserDefined.isEmpty, isUserDefined[Int(token)] {
                    score = 0.1 * Double(end - start - 1)
                }
                offer(score + sum, token, start, to: &nodes[end])
            }
            if !isKnown {
                var score = unknownScore + sum
                if arithmetic == .single { score = Double(Float(unknownScore) + Float(sum)) }
                offer(score, unknown, start, to: &nodes[start + width])
            }
            start += width
        }
        appendPath(nodes, text, to: &run)
    }

    private func offer(_ score: Double, _ token: Int32, _ start: Int, to node: inout Node) {
        guard node.start < 0 || score > node.score else { return }
        node.score = arithmetic == .single ? Double(Float(score)) : score
        node.token = token
        node.start = Int32(start)
    }

    private func appendPath(
        _ nodes: [Node], _ text: UnsafeBufferPointer<UInt8>, to run: inout TokenRun
    ) {
        var path: [(token: Int32, end: Int)] = []
        var end = text.count
        while end > 0 {
            let node = nodes[end]
            let start = Int(node.start)
            if node.token == unknown, let bytes {
                for place in stride(from: end, to: start, by: -1) {
                    path.append((bytes[Int(text[place - 1])], place))
                }
            } else if node.token != unknown || path.last?.token != unknown {
                // Unknown characters in a row are one token, which ends with the last of them.
                path.append((node.token, end))
            }
            end = start
        }
        for (token, end) in path.reversed() { run.append(token, end: end) }
    }
}
