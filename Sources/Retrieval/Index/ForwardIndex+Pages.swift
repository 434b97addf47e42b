extension ForwardIndex {
    /// Some of ``ids``, by their places in it.
    ///
    /// - Parameter range: lies within `0..<count`.
    /// - Complexity: O(s + r) for s segments and the r rows of the segments that the range touches,
    ///   whatever the size of the index.
    package func ids(_ range: Range<Int>) -> [EntryID] {
        precondition(range.lowerBound >= 0, "a page begins at 0 or later")
        var found: [EntryID] = []
        var start = 0
        for (position, segment) in segments.enumerated() where start < range.upperBound {
            let end = start + segment.count - segment.removed.count
            defer { start = end }
            guard end > range.lowerBound else { continue }
            let rows = (0..<segment.count).lazy.filter { !segment.removed.contains($0) }
            found += rows.dropFirst(max(0, range.lowerBound - start))
                .prefix(range.upperBound - max(start, range.lowerBound))
                .map { EntryID(segment: position, row: $0) }
        }
        return found
    }
}
