/// A binary heap of pairs: the most frequent first, ties in the order of their bytes.
struct PairQueue {
    struct Entry {
        let count: Int
        let pair: PairMerger.Pair
        let left: [UInt8]
        let right: [UInt8]

        func precedes(_ other: Entry) -> Bool {
            if count != other.count { return count > other.count }
            if left != other.left { return left.lexicographicallyPrecedes(other.left) }
            return right.lexicographicallyPrecedes(other.right)
        }
    }

    private var entries: [Entry] = []

    mutating func push(_ entry: Entry) {
        entries.append(entry)
        var child = entries.count - 1
        while child > 0, entries[child].precedes(entries[(child - 1) / 2]) {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> Entry? {
        guard let last = entries.popLast() else { return nil }
        guard let first = entries.first else { return last }
        entries[0] = last
        var parent = 0
        while true {
            var best = parent
            for child in (2 * parent + 1)...(2 * parent + 2)
            where child < entries.count && entries[child].precedes(entries[best]) {
                best = child
            }
            if best == parent { return first }
            entries.swapAt(parent, best)
            parent = best
        }
    }
}
