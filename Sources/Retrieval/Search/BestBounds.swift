/// A query together with its 8-bit form.
struct QuantizedQuery {
    let values: [Float]
    let codes: [Int8]
    let scale: Float
    /// The length of the rounding error.
    let error: Float
    let length: Float

    /// Rounds a query to 8 bits.
    ///
    /// - Throws: ``QueryError`` if a value or the length of the query is not finite.
    init(_ values: [Float]) throws {
        length = values.reduce(0) { $0 + $1 * $1 }.squareRoot()
        guard length.isFinite else { throw QueryError.notFinite("the query's feature") }
        self.values = values
        let largest = max(values.reduce(0) { max($0, abs($1)) }, 1e-12)
        let scale = largest / 127
        // The rounded scale may make the largest value slightly more than 127.
        let codes = values.map { Int8(min(max(($0 / scale).rounded(), -127), 127)) }
        let difference = zip(values, codes).reduce(Float(0)) { sum, pair in
            let error = pair.0 - scale * Float(pair.1)
            return sum + error * error
        }
        self.scale = scale
        self.codes = codes
        error = difference.squareRoot()
    }
}

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
    /// The `count` best lower bounds, in a heap whose first element is the worst.
    private var lowers: [Float] = []
    private(set) var kept: [Bounds] = []
    private var limit: Int

    init(count: Int) {
        self.count = count
        limit = max(1024, count * 4)
    }

    /// The bound below which an entry's upper bound excludes it.
    var threshold: Float { lowers.count < count ? -.infinity : lowers[0] }

    mutating func insert(_ item: Bounds) {
        kept.append(item)
        if lowers.count < count {
            lowers.append(item.lower)
            var child = lowers.count - 1
            while child > 0, case let parent = (child - 1) / 2, lowers[child] < lowers[parent] {
                lowers.swapAt(child, parent)
                child = parent
            }
        } else if item.lower > lowers[0] {
            lowers[0] = item.lower
            var parent = 0
            while case let child = 2 * parent + 1, child < count {
                let smaller =
                    child + 1 < count && lowers[child + 1] < lowers[child] ? child + 1 : child
                guard lowers[smaller] < lowers[parent] else { break }
                lowers.swapAt(smaller, parent)
                parent = smaller
            }
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
