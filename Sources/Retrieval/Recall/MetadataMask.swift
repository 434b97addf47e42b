/// The entries of an index that fulfil conditions.
///
/// The rows of each condition are compared once per segment and kept for a while; see
/// ``LazyColumns``. So a search, the number of its results and their pages share them.
struct MetadataMask: Sendable {
    /// The rows of each segment that fulfil all conditions and were not removed.
    private let rows: [RowSet]

    /// Compares conditions with the values of segments, on all threads.
    ///
    /// - Throws: ``IndexError`` if a value or an entry is damaged.
    /// - Complexity: O(n) for n entries and a new condition; O(n / 64) if it was compared before.
    init(_ filters: [MetadataFilter], over segments: [IndexSegment]) throws {
        rows = try segments.concurrentMap { try Self.rows(filters, $0) }
    }

    private static func rows(
        _ filters: [MetadataFilter], _ segment: IndexSegment
    ) throws -> RowSet {
        var rows = RowSet(segment.count, repeating: true)
        for filter in filters {
            rows.formIntersection(try segment.columns.rows(fulfilling: filter, in: segment))
        }
        for row in segment.removed { rows[row] = false }
        return rows
    }

    /// Returns whether an entry fulfils all conditions.
    func callAsFunction(_ id: ForwardIndex.EntryID) -> Bool { rows[id.segment][id.row] }

    /// The rows of a segment that fulfil all conditions.
    subscript(segment: Int) -> RowSet { rows[segment] }

    /// The number of entries that fulfil all conditions.
    var count: Int { rows.reduce(0) { $0 + $1.count } }

    /// Returns some of the entries that fulfil all conditions, in the order of the commits.
    ///
    /// - Complexity: O(n / 64 + count) for n entries.
    func ids(skipping skipped: Int = 0, count: Int = .max) -> [ForwardIndex.EntryID] {
        var (skipped, found) = (skipped, [ForwardIndex.EntryID]())
        for (segment, rows) in rows.enumerated() where found.count < count {
            let present = rows.count
            if skipped < present {
                found += rows.rows(skipping: skipped, count: count - found.count).map {
                    ForwardIndex.EntryID(segment: segment, row: $0)
                }
            }
            skipped = max(0, skipped - present)
        }
        return found
    }
}
