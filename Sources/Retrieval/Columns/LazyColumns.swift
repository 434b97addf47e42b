import Synchronization

/// The columns of a segment, which are opened or made on first use, and the rows that fulfilled
/// recent conditions or were put in order.
///
/// Segments never change, so the rows stay right after commits: a search that counts its results,
/// the next page and the next search with the same condition do not compare again.
final class LazyColumns: Sendable {
    /// The number of conditions whose rows are kept, in one bit per row each.
    private static let kept = 8

    private let columns = Mutex<MetadataColumns?>(nil)
    private let dateOrder = Mutex<DateOrder?>(nil)
    private let recent = Mutex<[(filter: MetadataFilter, rows: RowSet)]>([])

    /// Returns the columns of a segment.
    ///
    /// - Throws: ``IndexError`` if they, or an entry from which they are made, are damaged.
    func callAsFunction(of segment: IndexSegment) throws -> MetadataColumns {
        try columns.withLock { columns in
            if let columns { return columns }
            let made = try segment.storedColumns() ?? MetadataColumns(deriving: segment)
            columns = made
            return made
        }
    }

    /// Returns the rows in the order of their dates, removed ones included.
    ///
    /// - Throws: ``IndexError`` if a value or an entry is damaged.
    func dates(of segment: IndexSegment) throws -> DateOrder {
        try dateOrder.withLock { order in
            if let order { return order }
            let made = try self(of: segment).order(by: EntryField.date.rawValue, of: segment)
            order = made
            return made
        }
    }

    /// Returns the rows that fulfil a condition, removed ones included.
    ///
    /// - Throws: ``IndexError`` if a value or an entry is damaged.
    func rows(fulfilling filter: MetadataFilter, in segment: IndexSegment) throws -> RowSet {
        let known = recent.withLock { recent -> RowSet? in
            guard let place = recent.firstIndex(where: { $0.filter == filter }) else { return nil }
            let item = recent.remove(at: place)
            recent.append(item)
            return item.rows
        }
        if let known { return known }
        let rows = try self(of: segment).rows(fulfilling: filter, in: segment)
        recent.withLock { recent in
            recent.append((filter, rows))
            if recent.count > Self.kept { recent.removeFirst() }
        }
        return rows
    }
}
