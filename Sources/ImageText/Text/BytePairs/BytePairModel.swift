/// Byte pair encoding (Sennrich et al., 2016): the symbols of a word, merged in pairs by a list.
///
/// A word begins as its characters. Of all neighbouring pairs in the list, the earliest in the list
/// is merged, of equal ones the leftmost, until no pair is in the list. The tokens are those of the
/// `tokenizers` library, and for CLIP's list those of OpenAI's `SimpleTokenizer`.
///
/// - Complexity: O(*n* log *n*) for a word of *n* characters.
struct BytePairModel: Sendable {
    /// The symbols of a word before the first merge.
    enum Alphabet: Sendable {
        /// The bytes of its UTF-8, spelled as ``ByteCharacters`` in the files: CLIP, GPT-2.
        case bytes
        /// Its Unicode scalars. The bytes of an unknown scalar become tokens such as `<0xE2>` if
        /// `fallsBackToBytes` is set and the vocabulary has all of them: Gemma.
        case scalars(fallsBackToBytes: Bool)
    }

    /// The parts of a model.
    struct Parts {
        var pieces: PieceTable
        var pairs: PairTable
        var alphabet: Alphabet
        /// The suffix of a word's last character, such as `</w>`.
        var suffix = ""
        /// The token of a character that the vocabulary lacks; without it such characters are
        /// dropped.
        var unknown: Int32?
        /// Whether successive unknown characters become one token.
        var fusesUnknown = false
    }

    let pieces: PieceTable
    /// The suffix of a word's last character; empty for none.
    let suffix: [UInt8]
    let unknown: Int32?
    private let pairs: PairTable
    private let fusesUnknown: Bool
    private let symbols: Symbols

    private enum Symbols: Sendable {
        /// The token of each byte, within a word and at its end; -1 for none.
        case bytes(inner: [Int32], last: [Int32])
        /// The tokens of the byte fallback; `nil` without one.
        case scalars(bytes: [Int32]?)
    }

    init(_ parts: Parts) {
        pieces = parts.pieces
        pairs = parts.pairs
        suffix = Array(parts.suffix.utf8)
        unknown = parts.unknown
        fusesUnknown = parts.fusesUnknown
        switch parts.alphabet {
        case .bytes:
            let inner = ByteCharacters.utf8.map { parts.pieces.id(of: $0) ?? -1 }
            let end = Array(parts.suffix.utf8)
            let last = ByteCharacters.utf8.map { parts.pieces.id(of: $0 + end) ?? -1 }
            symbols = .bytes(inner: inner, last: last)
        case .scalars(let fallsBackToBytes):
            symbols = .scalars(
                bytes: fallsBackToBytes ? Self.fallbackTokens(of: parts.pieces) : nil)
        }
    }

    /// Returns the tokens `<0x00>` to `<0xFF>`; `nil` if any is missing.
    static func fallbackTokens(of pieces: PieceTable) -> [Int32]? {
        let digits = Array("0123456789ABCDEF".utf8)
        let ids = (0...0xFF).map { byte in
            let spelling = Array("<0x".utf8) + [digits[byte >> 4], digits[byte & 0xF]] + [0x3E]
            return pieces.id(of: spelling) ?? -1
        }
        return ids.contains(-1) ? nil : ids
    }

    /// Appends the tokens of a word, which must be valid UTF-8.
    func append(_ word: UnsafeBufferPointer<UInt8>, merger: inout PairMerge, to run: inout TokenRun)
    {
        merger.removeAll()
        switch symbols {
        case .bytes(let inner, let last): appendBytes(word, inner, last, to: &merger)
        case .scalars(let bytes): appendScalars(word, bytes, to: &merger)
        }
        merger.merge(by: pairs)
        merger.appendTokens(to: &run)
    }

    private func appendBytes(
        _ word: UnsafeBufferPointer<UInt8>, _ inner: [Int32], _ last: [Int32],
        to merger: inout PairMerge
    ) {
        var pending = 0
        for index in word.indices {
            let byte = Int(word[index])
            let id = index == word.count - 1 ? last[byte] : inner[byte]
            if id >= 0 {
                flush(&pending, to: &merger)
                merger.append(id, length: 1)
            } else {
                addUnknown(length: 1, &pending, to: &merger)
            }
        }
        flush(&pending, to: &merger)
    }

    private func appendScalars(
        _ word: UnsafeBufferPointer<UInt8>, _ bytes: [Int32]?, to merger: inout PairMerge
    ) {
        var pending = 0
        var start = 0
        while start < word.count {
            let end = min(start + UTF8Text.width(word[start]), word.count)
            let scalar = UnsafeBufferPointer(rebasing: word[start..<end])
            let id =
                end == word.count && !suffix.isEmpty
                ? pieces.id(of: Array(scalar) + suffix) : pieces.id(of: scalar)
            if let id {
                flush(&pending, to: &merger)
                merger.append(id, length: end - start)
            } else if let bytes {
                for byte in scalar { merger.append(bytes[Int(byte)], length: 1) }
                if end == word.count {
                    for byte in suffix { merger.append(bytes[Int(byte)], length: 0) }
                }
            } else {
                addUnknown(length: end - start, &pending, to: &merger)
            }
            start = end
        }
        flush(&pending, to: &merger)
    }

    /// Adds an unknown character; `pending` is the length of those not yet appended.
    private func addUnknown(length: Int, _ pending: inout Int, to merger: inout PairMerge) {
        if unknown == nil {
            merger.skip(length)
        } else {
            if !fusesUnknown { flush(&pending, to: &merger) }
            pending += length
        }
    }

    private func flush(_ pending: inout Int, to merger: inout PairMerge) {
        if pending > 0, let unknown { merger.append(unknown, length: pending) }
        pending = 0
    }
}
