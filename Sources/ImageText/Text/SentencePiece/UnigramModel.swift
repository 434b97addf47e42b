/// The unigram model (Kudo, 2018): it spells a text by the pieces with the highest sum of scores.
///
/// A character that no piece spells becomes the unknown token, with a score of 10 below the lowest.
/// Of two spellings with equal sums the first one found is kept, whose last piece is longer.
///
/// - Complexity: O(*n* *k*) for a text of *n* bytes and pieces of at most *k* bytes.
struct UnigramModel: Sendable {
    /// A piece of the vocabulary.
    struct Piece: Sendable {
        /// The purpose of a piece.
        enum Kind: Sendable {
            case normal
            /// A piece that wins over nearly any other spelling, as in SentencePiece 0.2: its score
            /// is 0.1 for every byte after the first, whatever the file says.
            case userDefined
            /// A piece that is not searched for in texts.
            case hidden
        }
        var text: [UInt8]
        var score: Double
        var kind = Kind.normal
    }

    /// The arithmetic of sums, which decides between spellings with nearly equal scores.
    enum Arithmetic: Sendable {
        /// 32-bit sums, compared before rounding, as in SentencePiece.
        case single
        /// 64-bit sums, as in the `tokenizers` library.
        case double
    }

    let pieces: PieceTable
    let unknown: Int32
    private let trie: TokenTrie
    private let scores: [Double]
    /// Whether each piece is `userDefined`, by id; empty if none is.
    private let isUserDefined: [Bool]
    private let arithmetic: Arithmetic
    private let unknownScore: Double
    private let bytes: [Int32]?

    /// Creates a model from pieces whose ids are their positions.
    ///
    /// - Parameters:
    ///   - pieces: The pieces with their scores.
    ///   - unknown: The id of the unknown token, a position in `pieces`.
    ///   - fallsBackToBytes: Whether the bytes of unknown characters become tokens such as
    ///     `<0xE2>`, provided that the pieces include all of them.
    ///   - arithmetic: The arithmetic of sums.
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

    /// The best spelling of the text up to a position.
    private struct Node {
        var token: Int32 = -1
        /// The start of its last piece; -1 if no spelling ends here.
        var start: Int32 = -1
        var score = 0.0
    }

    /// Appends the tokens of a text, which must be valid UTF-8.
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
                // Successive unknown characters become one token, which ends with the last of them.
                path.append((node.token, end))
            }
            end = start
        }
        for (token, end) in path.reversed() { run.append(token, end: end) }
    }
}
