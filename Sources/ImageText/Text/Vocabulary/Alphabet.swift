/// The single-character tokens that a set of words needs.
struct Alphabet {
    /// The tokens as bytes, the most frequent first, ties by bytes; continuations have their `##`.
    let pieces: [[UInt8]]

    private struct Count {
        var starts = 0
        var continuations = 0
        var total: Int { starts + continuations }
    }

    init(_ words: WordCounts, minimumFrequency: Int, limit: Int) {
        var counts: [[UInt8]: Count] = [:]
        for (word, occurrences) in words.counts {
            for (position, scalar) in Scalars(word).enumerated() {
                if position == 0 {
                    counts[Array(scalar), default: Count()].starts += occurrences
                } else {
                    counts[Array(scalar), default: Count()].continuations += occurrences
                }
            }
        }
        let frequent = counts.filter { $0.value.total >= minimumFrequency }
            .sorted { left, right in
                left.value.total == right.value.total
                    ? left.key.lexicographicallyPrecedes(right.key)
                    : left.value.total > right.value.total
            }
        var pieces: [(token: [UInt8], count: Int)] = []
        var letters = 0
        for (scalar, count) in frequent {
            let character = BertCharacter.of(Self.value(of: scalar))
            if character != .ideograph {
                if letters == limit { continue }
                letters += 1
            }
            pieces.append((scalar, count.starts))
            if character != .ideograph, character != .punctuation {
                pieces.append((Array("##".utf8) + scalar, count.continuations))
            }
        }
        pieces.sort { left, right in
            left.count == right.count
                ? left.token.lexicographicallyPrecedes(right.token) : left.count > right.count
        }
        self.pieces = pieces.map(\.token)
    }

    private static func value(of scalar: [UInt8]) -> UInt32 {
        String(decoding: scalar, as: UTF8.self).unicodeScalars.first?.value ?? 0
    }
}
