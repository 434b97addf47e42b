/// A SentencePiece model file: the protobuf message `ModelProto`, usually named `spiece.model` or
/// `sentencepiece.bpe.model`.
struct SentencePieceFile {
    /// The normalization of a text before the model.
    private(set) var normalizer = SentencePieceNormalizer()
    /// The pieces, by id.
    private(set) var pieces: [UnigramModel.Piece] = []
    /// The id of the unknown token.
    private(set) var unknown: Int?
    /// The ids of the control tokens, which include `<s>` and `</s>`.
    private(set) var controls: [Int] = []
    private(set) var fallsBackToBytes = false

    private let source: String
    private let bytes: [UInt8]
    private var isUnigram = true
    private var seen = PieceTable(capacity: 0)

    /// Reads a model.
    ///
    /// - Throws: ``TokenizerError``, which names the field, the byte and the problem.
    init(_ bytes: [UInt8], source: String) throws(TokenizerError) {
        self.bytes = bytes
        self.source = source
        try forEachField(of: 0..<bytes.count, "ModelProto") {
            file, field, value throws(TokenizerError) in
            switch (field, value) {
            case (1, .bytes(let range)): try file.readPiece(range)
            case (2, .bytes(let range)): try file.readTrainer(range)
            case (3, .bytes(let range)): try file.readNormalizer(range)
            default: break
            }
        }
        if pieces.isEmpty { throw fault(0, "pieces", "the model has no pieces") }
        guard unknown != nil else {
            throw fault(0, "pieces", "no piece has type 2, that of the unknown token")
        }
        if !isUnigram {
            throw TokenizerError(
                .unsupported(
                    "trainer_spec.model_type",
                    "only unigram models are supported in this format; "
                        + "use the tokenizer.json of the same model"), source: source)
        }
        let literals = pieces.filter { $0.kind == .userDefined }
        if !literals.isEmpty {
            var trie = TokenTrie(roots: 1, capacity: 0)
            for piece in literals { _ = trie.insert(piece.text, token: 0, root: 0) }
            normalizer.literals = trie
        }
        seen = PieceTable(capacity: 0)
    }

    private func fault(_ place: Int, _ field: String, _ problem: String) -> TokenizerError {
        TokenizerError(.malformed("\(field), byte \(place)", problem), source: source)
    }

    private mutating func forEachField(
        of range: Range<Int>, _ name: String,
        _ body: (inout Self, Int, ProtobufReader.Value) throws(TokenizerError) -> Void
    ) throws(TokenizerError) {
        var reader = ProtobufReader(bytes, range)
        while true {
            let next: (field: Int, value: ProtobufReader.Value)?
            do throws(ProtobufReader.Fault) {
                next = try reader.next()
            } catch {
                throw fault(error.place, name, error.problem)
            }
            guard let next else { return }
            try body(&self, next.field, next.value)
        }
    }

    private mutating func readPiece(_ range: Range<Int>) throws(TokenizerError) {
        let id = pieces.count
        let name = "pieces[\(id)]"
        var text: Range<Int>?
        var score: Float = 0
        var type: UInt64 = 1
        try forEachField(of: range, name) { _, field, value in
            switch (field, value) {
            case (1, .bytes(let range)): text = range
            case (2, .fixed32(let bits)): score = Float(bitPattern: bits)
            case (3, .number(let number)): type = number
            default: break
            }
        }
        guard let text, !text.isEmpty else {
            throw fault(range.lowerBound, name, "the piece is empty")
        }
        guard String(validating: bytes[text], as: UTF8.self) != nil else {
            throw fault(text.lowerBound, name, "the piece is not UTF-8")
        }
        guard score.isFinite else { throw fault(range.lowerBound, name, "the score is \(score)") }
        guard id <= PieceTable.largestID else {
            throw fault(
                range.lowerBound, name, "there are more than \(PieceTable.largestID + 1) pieces")
        }
        guard seen.insert(bytes[text], id: id) else {
            throw fault(text.lowerBound, name, "the piece occurs twice")
        }
        var piece = UnigramModel.Piece(text: Array(bytes[text]), score: Double(score))
        switch type {
        case 1: break
        case 2:
            if unknown != nil {
                throw fault(range.lowerBound, name, "this is a second unknown token")
            }
            unknown = id
            piece.kind = .hidden
        case 3:
            controls.append(id)
            piece.kind = .hidden
        case 4: piece.kind = .userDefined
        case 5, 6: piece.kind = .hidden
        default: throw fault(range.lowerBound, name, "the type \(type) is unknown")
        }
        pieces.append(piece)
    }

    private mutating func readTrainer(_ range: Range<Int>) throws(TokenizerError) {
        try forEachField(of: range, "trainer_spec") { file, field, value in
            switch (field, value) {
            case (3, .number(let type)): file.isUnigram = type == 1
            case (24, .number(let flag)): file.normalizer.addsSpaceBehind = flag != 0
            case (35, .number(let flag)): file.fallsBackToBytes = flag != 0
            default: break
            }
        }
    }

    private mutating func readNormalizer(_ range: Range<Int>) throws(TokenizerError) {
        try forEachField(of: range, "normalizer_spec") {
            file, field, value throws(TokenizerError) in
            switch (field, value) {
            case (2, .bytes(let range)) where !range.isEmpty:
                do throws(CharacterMap.Fault) {
                    file.normalizer.map = try CharacterMap(file.bytes[range])
                } catch {
                    throw file.fault(
                        range.lowerBound, "normalizer_spec.precompiled_charsmap",
                        error.description)
                }
            case (3, .number(let flag)): file.normalizer.addsSpace = flag != 0
            case (4, .number(let flag)): file.normalizer.shrinksSpaces = flag != 0
            case (5, .number(let flag)): file.normalizer.marksSpaces = flag != 0
            default: break
            }
        }
    }
}
