import HeapModule

extension ForwardIndex {
    /// A part of an ordered list of entries.
    public struct Page: Sendable, Hashable {
        /// The entries of the page.
        public let ids: [EntryID]
        /// The number of entries in the whole list.
        public let total: Int
    }

    /// Returns a page of the entries that fulfil conditions, in an order.
    ///
    /// - Parameters:
    ///   - filters: The conditions, all of which must hold. Default: none.
    ///   - order: The order of the entries. Default: as indexed.
    ///   - skipped: The number of entries before the page.
    ///   - count: The maximum number of entries of the page.
    /// - Throws: ``IndexError`` if columns or an entry are damaged.
    /// - Complexity: O(s + count) for s segments, as indexed and without conditions. New conditions
    ///   are compared with all n entries once; a page then takes O(n / 64). By date, it takes
    ///   O(n / 64 + (skipped + count) log s); the first page sorts the rows of each segment, and
    ///   after a commit only those of new ones.
    public func page(
        where filters: [MetadataFilter] = [], by order: EntryOrder = .path, skipping skipped: Int,
        count: Int
    ) throws -> Page {
        let (skipped, count) = (max(0, skipped), max(0, count))
        if filters.isEmpty, order == .path {
            return Page(ids: ids(skipping: skipped, count: count), total: self.count)
        }
        let mask = try MetadataMask(filters, over: segments)
        let total = mask.count
        guard skipped < total, count > 0 else { return Page(ids: [], total: total) }
        if order == .path {
            return Page(ids: mask.ids(skipping: skipped, count: count), total: total)
        }
        var merge = try DateMerge(segments, isAscending: order == .oldest)
        let ids = try merge.ids(of: mask, skipping: skipped, count: min(count, total - skipped))
        return Page(ids: ids, total: total)
    }
}

/// Merges the rows of segments that are each in the order of their dates.
private struct DateMerge {
    /// A segment with the next of its dates.
    private struct Head: Comparable {
        let segment: Int
        let index: Int
        let text: String
        let isAscending: Bool

        /// Whether this date comes before another; of equal dates, that of the earlier segment.
        static func < (a: Head, b: Head) -> Bool {
            if a.text != b.text { return a.isAscending ? a.text < b.text : a.text > b.text }
            return a.segment < b.segment
        }

        static func == (a: Head, b: Head) -> Bool { a.text == b.text && a.segment == b.segment }
    }

    private let orders: [DateOrder]
    private let isAscending: Bool
    private var heads = Heap<Head>()

    init(_ segments: [IndexSegment], isAscending: Bool) throws {
        orders = try segments.map { try $0.columns.dates(of: $0) }
        self.isAscending = isAscending
        for segment in orders.indices { try advance(segment, to: 0) }
    }

    /// Puts the next date of a segment among the heads, if it has one.
    private mutating func advance(_ segment: Int, to index: Int) throws {
        let order = orders[segment]
        guard index < order.count else { return }
        let text = try order.text(isAscending ? index : order.count - 1 - index)
        heads.insert(
            Head(segment: segment, index: index, text: text, isAscending: isAscending))
    }

    /// Returns a part of the entries of a mask; those without a date come last.
    mutating func ids(
        of mask: MetadataMask, skipping skipped: Int, count: Int
    ) throws -> [ForwardIndex.EntryID] {
        var (skipped, found) = (skipped, [ForwardIndex.EntryID]())
        func take(_ rows: ArraySlice<UInt32>, of segment: Int) {
            let members = mask[segment]
            for row in rows where members[Int(row)] {
                if found.count == count { return }
                if skipped > 0 {
                    skipped -= 1
                } else {
                    found.append(.init(segment: segment, row: Int(row)))
                }
            }
        }
        while found.count < count, let head = heads.popMin() {
            let order = orders[head.segment]
            let index = isAscending ? head.index : order.count - 1 - head.index
            take(order.rows(index), of: head.segment)
            try advance(head.segment, to: head.index + 1)
        }
        for (segment, order) in orders.enumerated() where found.count < count {
            take(order.withoutText, of: segment)
        }
        return found
    }
}
