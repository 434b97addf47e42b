/// The tokens of one word during its merges; reused for the next word to keep its memory.
struct PairMerge {
    private struct Symbol {
        var token: Int32
        /// The number of bytes of the word that it covers.
        var length: Int32
        var previous: Int32
        /// The next symbol, or -1 after the last.
        var next: Int32
        /// Whether a merge has absorbed it into its left neighbour.
        var isMerged = false
    }

    /// A pair that can be merged, unless one of its tokens has changed since.
    private struct Candidate {
        var rank: Int32
        var place: Int32
        var left: Int32
        var right: Int32
        var merged: Int32

        static func < (a: Candidate, b: Candidate) -> Bool {
            a.rank < b.rank || (a.rank == b.rank && a.place < b.place)
        }
    }

    /// The number of tokens up to which scanning all pairs is faster than a heap.
    private static let fewSymbols = 24

    private var symbols: [Symbol] = []
    private var heap: [Candidate] = []
    private var ranks: [Int32] = []
    private var merged: [Int32] = []

    mutating func removeAll() {
        symbols.removeAll(keepingCapacity: true)
    }

    mutating func append(_ token: Int32, length: Int) {
        let place = Int32(symbols.count)
        if place > 0 { symbols[Int(place) - 1].next = place }
        symbols.append(
            Symbol(token: token, length: Int32(length), previous: place - 1, next: -1))
    }

    /// Adds bytes without a token to the token before them.
    mutating func skip(_ length: Int) {
        if let last = symbols.indices.last { symbols[last].length += Int32(length) }
    }

    /// Appends the remaining tokens with their ends.
    func appendTokens(to run: inout TokenRun) {
        var end = 0
        for symbol in symbols where !symbol.isMerged {
            end += Int(symbol.length)
            run.append(symbol.token, end: end)
        }
    }

    /// Merges pairs until none is in the table.
    mutating func merge(by pairs: PairTable) {
        if symbols.count < 2 { return }
        if symbols.count <= Self.fewSymbols { mergeFew(by: pairs) } else { mergeMany(by: pairs) }
    }

    /// Merges in short words: finds the lowest rank, merges, closes the gap.
    private mutating func mergeFew(by pairs: PairTable) {
        ranks.removeAll(keepingCapacity: true)
        merged.removeAll(keepingCapacity: true)
        for place in 0..<symbols.count - 1 {
            let merge = pairs[symbols[place].token, symbols[place + 1].token]
            ranks.append(merge?.rank ?? .max)
            merged.append(merge?.token ?? -1)
        }
        while true {
            var best = -1
            var least = Int32.max
            for place in ranks.indices where ranks[place] < least {
                least = ranks[place]
                best = place
            }
            guard best >= 0 else { return }
            symbols[best].token = merged[best]
            symbols[best].length += symbols[best + 1].length
            symbols.remove(at: best + 1)
            ranks.remove(at: best)
            merged.remove(at: best)
            for place in [best - 1, best] where place >= 0 && place < ranks.count {
                let merge = pairs[symbols[place].token, symbols[place + 1].token]
                ranks[place] = merge?.rank ?? .max
                merged[place] = merge?.token ?? -1
            }
        }
    }

    /// Merges in long words through a heap of pairs, skipping outdated ones.
    private mutating func mergeMany(by pairs: PairTable) {
        heap.removeAll(keepingCapacity: true)
        for place in 0..<symbols.count - 1 { propose(place, pairs) }
        while let candidate = popFirst() {
            let place = Int(candidate.place)
            let symbol = symbols[place]
            guard !symbol.isMerged, symbol.token == candidate.left, symbol.next >= 0 else {
                continue
            }
            let right = symbols[Int(symbol.next)]
            guard right.token == candidate.right else { continue }
            symbols[Int(symbol.next)].isMerged = true
            symbols[place].token = candidate.merged
            symbols[place].length += right.length
            symbols[place].next = right.next
            if right.next >= 0 { symbols[Int(right.next)].previous = candidate.place }
            if symbol.previous >= 0 { propose(Int(symbol.previous), pairs) }
            if right.next >= 0 { propose(place, pairs) }
        }
    }

    /// Adds the pair that begins at a position to the heap, if it can be merged.
    private mutating func propose(_ place: Int, _ pairs: PairTable) {
        let left = symbols[place]
        let right = symbols[Int(left.next)].token
        guard let merge = pairs[left.token, right] else { return }
        heap.append(
            Candidate(
                rank: merge.rank, place: Int32(place), left: left.token, right: right,
                merged: merge.token))
        var child = heap.count - 1
        while child > 0, heap[child] < heap[(child - 1) / 2] {
            heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popFirst() -> Candidate? {
        guard let last = heap.popLast() else { return nil }
        guard let first = heap.first else { return last }
        heap[0] = last
        var parent = 0
        while true {
            var least = parent
            for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count {
                if heap[child] < heap[least] { least = child }
            }
            if least == parent { return first }
            heap.swapAt(parent, least)
            parent = least
        }
    }
}
