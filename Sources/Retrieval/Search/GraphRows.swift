/// The rows of a snapshot that a graph's labels stand for.
struct GraphRows: Sendable {
    private let parts: [IndexManifest.Graph.Part]
    /// The first label of each part.
    private let starts: [Int]
    private let positions: [String: Int]
    /// Rows that there were when the graph was made.
    let labelCount: Int
    /// How many of the first segments the graph knows.
    let segmentCount: Int
    /// Entries of those that can be found.
    let living: Int

    /// Finds out which segments the parts of a graph name.
    ///
    /// - Returns: nil if the parts do not fit the segments.
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

    /// The entry of a label; nil if it is gone.
    ///
    /// - Complexity: O(log p + log d) for p parts and d dropped labels.
    subscript(label: Int) -> ForwardIndex.EntryID? {
        // The last part that starts at or before the label.
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
