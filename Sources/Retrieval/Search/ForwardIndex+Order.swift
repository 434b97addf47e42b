import ImageText

/// An order of entries.
public enum EntryOrder: String, Sendable, Hashable, CaseIterable {
    /// The order in which they were indexed: the images of a folder by their paths.
    case path
    /// Newest first, by ``EntryField/date``; images without a date come last.
    case date
    /// Oldest first; images without a date come last.
    case oldest = "-date"
}

extension ForwardIndex {
    /// Returns all entries that fulfil conditions, in an order.
    ///
    /// - Parameters:
    ///   - filters: The conditions, all of which must hold.
    ///   - order: The order of the entries. Default: as indexed.
    /// - Throws: ``IndexError`` if columns or an entry are damaged.
    /// - Complexity: O(n) for n entries, or O(n log s) by date for s segments; see
    ///   ``page(where:by:skipping:count:)``.
    public func ids(
        where filters: [MetadataFilter], by order: EntryOrder = .path
    ) throws -> [EntryID] {
        try page(where: filters, by: order, skipping: 0, count: .max).ids
    }

    /// Returns the number of entries that fulfil conditions.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n entries and new conditions, otherwise O(n / 64); O(1) per segment
    ///   without conditions.
    public func count(where filters: [MetadataFilter]) throws -> Int {
        try filters.isEmpty ? count : MetadataMask(filters, over: segments).count
    }

    /// Returns items in order of their entries' dates; equal dates and items without one keep their
    /// order.
    func sorted<Item>(
        _ items: [Item], by order: EntryOrder, id: (Item) -> EntryID
    ) throws -> [Item] {
        guard order != .path else { return items }
        try prepareFilters()
        let dates = try items.map { try value(of: EntryField.date.rawValue, id($0))?.text }
        return items.indices.sorted { a, b in
            switch (dates[a], dates[b]) {
            case (let first?, let second?) where first != second:
                order == .date ? first > second : first < second
            case (.some, nil): true
            case (nil, .some): false
            default: a < b
            }
        }.map { items[$0] }
    }

    /// Returns an entry's value with a name.
    private func value(of name: String, _ id: EntryID) throws -> FieldValue? {
        let segment = segments[id.segment]
        return try segment.columns(of: segment).value(of: name, id.row, in: segment)
    }
}

/// The most frequent values of an index's fields, from which people can choose conditions.
public struct Facets: Sendable, Hashable, Codable {
    /// A value with the number of images that have it.
    public struct Value: Sendable, Hashable, Codable {
        /// The value.
        public let value: String
        /// The number of images that have the value.
        public let count: Int

        /// Creates a value with its number of images.
        package init(value: String, count: Int) {
            self.value = value
            self.count = count
        }
    }

    /// The years in which images were taken, newest first.
    public let years: [Value]
    /// The cameras, most frequent first.
    public let cameras: [Value]
    /// The folders that contain images, most frequent first.
    public let folders: [Value]
    /// The orientations `landscape`, `portrait` and `square`, most frequent first.
    public let orientations: [Value]

    /// The maximum number of values per field.
    public static let most = 100
}

extension ForwardIndex {
    /// Returns the most frequent values of the fields.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n entries.
    public func facets() throws -> Facets {
        let living = try MetadataMask([], over: segments)
        func counts(_ field: EntryField, length: Int = .max) throws -> [Facets.Value] {
            var sums: [String: Int] = [:]
            for (position, segment) in segments.enumerated() {
                let columns = try segment.columns(of: segment)
                let counts = try columns.textCounts(
                    of: field.rawValue, length: length, in: living[position], of: segment)
                for (text, count) in counts { sums[text, default: 0] += count }
            }
            return sums.map { Facets.Value(value: $0, count: $1) }
        }
        func frequent(_ values: [Facets.Value]) -> [Facets.Value] {
            Array(values.sorted { ($1.count, $0.value) < ($0.count, $1.value) }.prefix(Facets.most))
        }
        let years = try counts(.date, length: 4)
        return Facets(
            years: Array(years.sorted { $0.value > $1.value }.prefix(Facets.most)),
            cameras: frequent(try counts(.camera)), folders: frequent(try counts(.folder)),
            orientations: frequent(try counts(.orientation)))
    }
}
