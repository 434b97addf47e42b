import HeapModule

/// An entry's approximate cosine with its uncertainty.
struct Bounds: Sendable {
    let id: ForwardIndex.EntryID
    let score, uncertainty: Float
    var lower: Float { score - uncertainty }
    var upper: Float { score + uncertainty }
}

/// The entries that can still be among the nearest ones.
struct BestBounds {
    private let count: Int
    /// The `count` best lower bounds.
    private var lowers = Heap<Float>()
    private(set) var kept: [Bounds] = []
    private var limit: Int

    init(count: Int) {
        self.count = count
        limit = max(1024, count * 4)
    }

    /// The bound below which an entry's upper bound excludes it.
    var threshold: Float { lowers.count < count ? -.infinity : lowers.min ?? -.infinity }

    mutating func insert(_ item: Bounds) {
        kept.append(item)
        if lowers.count < count {
            lowers.insert(item.lower)
        } else if item.lower > threshold {
            lowers.replaceMin(with: item.lower)
        }
        guard kept.count > limit else { return }
        let threshold = threshold
        kept.removeAll { $0.upper < threshold }
        limit = max(limit, kept.count * 2)
    }

    /// Returns the entries of several searches that can be among the `count` nearest of all.
    static func survivors(_ items: [Bounds], count: Int) -> [Bounds] {
        guard items.count > count else { return items }
        let threshold = items.map(\.lower).sorted(by: >)[count - 1]
        return items.filter { $0.upper >= threshold }
    }
}
