/// A tokenizer in stages: it normalizes a text, finds added tokens, cuts the rest into pieces, and
/// spells each piece.
///
/// It covers every tokenizer but BERT's: CLIP's byte pairs, SentencePiece's unigrams, Gemma's byte
/// pairs with a byte fallback. ``Tokenizer/read(folder:readsSpecial:)`` and the readers of other files create it. Its ids
/// are those of the library that wrote the file.
public struct TokenPipeline: Sendable {
    /// The model that spells a piece.
    enum Model: Sendable {
        case bytePairs(BytePairModel)
        case unigram(UnigramModel)
    }

    let normalizers: [TextNormalizer]
    let splitters: [PieceSplitter]
    let model: Model
    private let added: AddedTokens
    /// The spellings and ids of all added tokens.
    private let addedPieces: PieceTable

    /// Creates a pipeline of stages.
    ///
    /// - Parameters:
    ///   - normalizers: The changes to a text, in order.
    ///   - splitters: The rules that cut a text into pieces, in order.
    ///   - model: The model that spells a piece.
    ///   - added: The added tokens.
    ///   - readsSpecial: Whether the spellings of special tokens in a text are read as those
    ///     tokens.
    init(
        normalizers: [TextNormalizer], splitters: [PieceSplitter], model: Model,
        added: [AddedTokens.Token], readsSpecial: Bool
    ) {
        self.normalizers = normalizers
        self.splitters = splitters
        self.model = model
        self.added = AddedTokens(added, readsSpecial: readsSpecial, normalizers: normalizers)
        var table = PieceTable(capacity: added.count)
        for token in added { table.insert(token.content.utf8, id: token.id) }
        addedPieces = table
    }

    var pieces: PieceTable {
        switch model {
        case .bytePairs(let model): model.pieces
        case .unigram(let model): model.pieces
        }
    }

    /// The largest id plus 1: the minimum number of rows of the embedding table.
    public var count: Int { max(pieces.count, addedPieces.count) }

    /// The id of the unknown token; `nil` if unknown characters are dropped or become bytes.
    public var unknown: Int? {
        switch model {
        case .bytePairs(let model): model.unknown.map(Int.init)
        case .unigram(let model): Int(model.unknown)
        }
    }

    /// The ids of the special tokens, ascending.
    public var special: [Int] { added.tokens.filter(\.isSpecial).map(\.id).sorted() }

    /// Returns the id of a token, spelled as in the file.
    public func id(of token: String) -> Int? {
        (addedPieces.id(of: token.utf8) ?? pieces.id(of: token.utf8)).map(Int.init)
    }

    /// Returns the tokens with the given ids, spelled as in the file; `nil` for an id without a
    /// token.
    public func tokens(of ids: some Sequence<Int>) -> [String?] {
        ids.map { addedPieces.spelling(of: $0) ?? pieces.spelling(of: $0) }
    }

    /// Returns the token ids of a text, without those that frame it.
    ///
    /// - Parameters:
    ///   - text: Any text.
    ///   - limit: The maximum number of tokens; no limit by default.
    public func ids(of text: String, limit: Int = .max) -> [Int] {
        encode(text, limit: limit) { _, _ in }
    }

    /// The origin of a range of tokens.
    enum Origin {
        case added(id: Int)
        /// The normalized bytes of a piece, and the ends of its tokens in them.
        case piece(ArraySlice<UInt8>, ends: ArraySlice<Int>)
    }

    /// Encodes a text, and calls `visit` with each piece and the positions of its tokens.
    func encode(
        _ text: String, limit: Int, _ visit: (Origin, Range<Int>) -> Void
    ) -> [Int] {
        var run = TokenRun()
        var merger = PairMerge()
        var isFirst = true
        for part in added.split(raw: Array(text.utf8)) where run.ids.count < limit {
            guard case .text(let text) = part else {
                if case .token(let id) = part { append(id, to: &run, visit) }
                isFirst = false
                continue
            }
            let normalized = normalizers.reduce(text) { $1.normalized($0) }
            for part in added.split(normalized: normalized) where run.ids.count < limit {
                switch part {
                case .token(let id): append(id, to: &run, visit)
                case .text(let text):
                    for piece in cut(text, isFirst: isFirst) where run.ids.count < limit {
                        let start = run.ids.count
                        append(piece, &merger, to: &run)
                        run.cut(to: limit)
                        let range = start..<run.ids.count
                        visit(.piece(piece, ends: run.ends[range]), range)
                    }
                }
                isFirst = false
            }
        }
        return run.ids
    }

    private func append(
        _ id: Int, to run: inout TokenRun, _ visit: (Origin, Range<Int>) -> Void
    ) {
        let start = run.ids.count
        run.ids.append(id)
        run.ends.append(0)
        visit(.added(id: id), start..<start + 1)
    }

    private func append(
        _ piece: ArraySlice<UInt8>, _ merger: inout PairMerge, to run: inout TokenRun
    ) {
        piece.withUnsafeBufferPointer { bytes in
            switch model {
            case .bytePairs(let model): model.append(bytes, merger: &merger, to: &run)
            case .unigram(let model): model.append(bytes, to: &run)
            }
        }
    }

    private func cut(_ text: [UInt8], isFirst: Bool) -> [ArraySlice<UInt8>] {
        if text.isEmpty { return [] }
        var pieces = [text[...]]
        for splitter in splitters {
            pieces =
                pieces.count == 1
                ? splitter.split(pieces[0], isFirst: isFirst && pieces[0].startIndex == 0)
                : pieces.flatMap {
                    splitter.split($0, isFirst: isFirst && $0.startIndex == 0)
                }
        }
        return pieces
    }
}

/// The tokens of a text found so far.
struct TokenRun {
    /// The ids.
    var ids: [Int] = []
    /// The end of each token, in bytes from the start of its piece; parallel to ``ids``.
    var ends: [Int] = []

    mutating func append(_ id: Int32, end: Int) {
        ids.append(Int(id))
        ends.append(end)
    }

    mutating func cut(to limit: Int) {
        guard ids.count > limit else { return }
        ids.removeLast(ids.count - limit)
        ends.removeLast(ends.count - limit)
    }
}
