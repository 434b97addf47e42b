internal import HeapModule

/// Words spelled in tokens, with the counts of neighbouring tokens.
///
/// Each merge turns the most frequent pair into a token and updates the counts.
struct PairMerger {
    /// The alphabet, then one token per merge; continuations have their `##`.
    private(set) var tokens: [[UInt8]]

    private struct Word {
        var tokens: [Int32]
        let count: Int
    }

    struct Pair: Hashable {
        let left: Int32
        let right: Int32
    }

    private struct Occurrences {
        var count = 0
        /// The words with the pair; the list may include words that lost it, and repetitions.
        var words: [Int32] = []
    }

    private var ids: [[UInt8]: Int32] = [:]
    private var words: [Word] = []
    private var pairs: [Pair: Occurrences] = [:]
    /// The pairs with their counts; an entry may be outdated, but then its count is too high.
    private var queue = Heap<QueuedPair>()

    /// Spells the words in characters.
    ///
    /// A word with characters outside the alphabet is left out, because it remains `[UNK]`.
    init(_ counts: WordCounts, alphabet: some Sequence<[UInt8]>) {
        tokens = Array(alphabet)
        for (id, token) in tokens.enumerated() { ids[token] = Int32(id) }
        for (word, count) in counts.counts {
            var spelling: [Int32] = []
            for (position, scalar) in Scalars(word).enumerated() {
                guard let id = ids[position == 0 ? Array(scalar) : Array("##".utf8) + scalar],
                    position < WordPieceTokenizer.maximumWordLength
                else {
                    spelling = []
                    break
                }
                spelling.append(id)
            }
            if spelling.count > 1 { words.append(Word(tokens: spelling, count: count)) }
        }
        for index in words.indices { addPairs(of: index) }
        for (pair, occurrences) in pairs { enqueue(pair, occurrences.count) }
    }

    /// Merges the most frequent pair, and returns whether a pair occurred often enough.
    ///
    /// The merge adds a token, unless another pair already produced the same one.
    mutating func merge(minimumFrequency: Int) -> Bool {
        while let entry = queue.popMax() {
            let count = pairs[entry.pair]?.count ?? 0
            // A count that rose has its own entry; one that fell gets a new entry here.
            if count != entry.count {
                if count < entry.count, count >= minimumFrequency { enqueue(entry.pair, count) }
                continue
            }
            guard count >= minimumFrequency else { return false }
            merge(entry.pair)
            return true
        }
        return false
    }

    private mutating func merge(_ pair: Pair) {
        let merged = tokens[Int(pair.left)] + tokens[Int(pair.right)].dropFirst(2)
        let token = ids[merged] ?? Int32(tokens.count)
        if Int(token) == tokens.count {
            tokens.append(merged)
            ids[merged] = token
        }
        var before: [Pair: Int] = [:]
        for index in (pairs[pair]?.words ?? []).map(Int.init) {
            let old = words[index].tokens
            let new = Self.replacing(pair, by: token, in: old)
            // The word may be listed twice, or have lost the pair since.
            if new.count == old.count { continue }
            for pair in zip(old, old.dropFirst()).map(Pair.init) {
                let count = pairs[pair]?.count ?? 0
                if before[pair] == nil { before[pair] = count }
                pairs[pair]?.count = count - words[index].count
            }
            for pair in zip(new, new.dropFirst()).map(Pair.init) where before[pair] == nil {
                before[pair] = pairs[pair]?.count ?? 0
            }
            words[index].tokens = new
            addPairs(of: index)
        }
        for (pair, old) in before {
            let count = pairs[pair]?.count ?? 0
            if count > old { enqueue(pair, count) }
            if count == 0 { pairs[pair] = nil }
        }
    }

    private mutating func addPairs(of index: Int) {
        let (spelling, count) = (words[index].tokens, words[index].count)
        for pair in zip(spelling, spelling.dropFirst()).map(Pair.init) {
            pairs[pair, default: Occurrences()].count += count
            if pairs[pair]?.words.last != Int32(index) {
                pairs[pair]?.words.append(Int32(index))
            }
        }
    }

    private mutating func enqueue(_ pair: Pair, _ count: Int) {
        queue.insert(
            QueuedPair(
                count: count, pair: pair, left: tokens[Int(pair.left)],
                right: tokens[Int(pair.right)]))
    }

    private static func replacing(_ pair: Pair, by token: Int32, in old: [Int32]) -> [Int32] {
        var new: [Int32] = []
        new.reserveCapacity(old.count)
        var position = 0
        while position < old.count {
            if old[position] == pair.left, position + 1 < old.count,
                old[position + 1] == pair.right
            {
                new.append(token)
                position += 2
            } else {
                new.append(old[position])
                position += 1
            }
        }
        return new
    }
}

/// A pair of tokens that waits to be merged; the greatest is merged first.
///
/// That is the most frequent pair, and of equally frequent ones the first in the order of its
/// bytes.
struct QueuedPair: Comparable {
    let count: Int
    let pair: PairMerger.Pair
    let left: [UInt8]
    let right: [UInt8]

    static func < (first: Self, second: Self) -> Bool {
        if first.count != second.count { return first.count < second.count }
        if first.left != second.left {
            return second.left.lexicographicallyPrecedes(first.left)
        }
        return second.right.lexicographicallyPrecedes(first.right)
    }

    static func == (first: Self, second: Self) -> Bool {
        first.count == second.count && first.left == second.left && first.right == second.right
    }
}
