/// The rows of a snapshot that a graph's labels identify.
struct GraphRows: Sendable {
    private let parts: [IndexManifest.Graph.Part]
    /// The first label of each part.
    private let starts: [Int]
    private let positions: [String: Int]
    /// The number of rows when the graph was built.
    let labelCount: Int
    /// The number of leading segments that the graph covers.
    let segmentCount: Int
    /// The number of entries in these segments that were not removed.
    let living: Int

    /// Maps the parts of a graph to segments.
    ///
    /// - Returns: Nil if the parts do not fit the segments.
    /// - Complexity: O(s + d) for s segments and d dropped labels.
    init?(_ graph: IndexManifest.Graph, _ segments: [IndexSegment]) {
        guard let covered = graph.covered(segments.map(\.record)) else { return nil }
        let known = segments[..<covered]
        parts = graph.parts
        segmentCount = covered
        living = known.reduce(0) { $0 + $1.count - $1.removed.count }
        positions = Dictionary(
            zip(known.map(\.record.name), known.indices), uniquingKeysWith: { first, _ in first })
        var (starts, total) = ([Int](), 0)
        for part in parts {
            starts.append(total)
            total += part.count
        }
        self.starts = starts
        labelCount = total
    }

    /// The entry of a label; nil if it was removed.
    ///
    /// - Complexity: O(log p + log d) for p parts and d dropped labels.
    subscript(label: Int) -> ForwardIndex.EntryID? {
        // Find the last part that starts at or before the label.
        var (low, high) = (0, starts.count)
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= label { low = middle + 1 } else { high = middle }
        }
        guard low > 0, case let part = parts[low - 1], let row = part.row(label - starts[low - 1]),
            let position = part.segment.flatMap({ positions[$0] })
        else { return nil }
        return ForwardIndex.EntryID(segment: position, row: row)
    }
}
