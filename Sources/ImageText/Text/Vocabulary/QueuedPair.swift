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
