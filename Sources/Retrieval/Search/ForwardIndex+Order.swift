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
    /// Returns the entries that fulfil conditions, in an order.
    ///
    /// - Parameters:
    ///   - filters: The conditions, all of which must hold.
    ///   - order: The order of the entries. Default: as indexed.
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n entries, or O(n log n) by date. The first call with conditions or
    ///   by date reads all metadata; see ``prepareFilters()``.
    public func ids(
        where filters: [MetadataFilter], by order: EntryOrder = .path
    ) throws -> [EntryID] {
        let found = try filters.isEmpty ? ids : fulfilling(filters)
        return order == .path ? found : try sorted(found, by: order) { $0 }
    }

    /// Returns the number of entries that fulfil conditions.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n entries; O(1) per segment without conditions.
    public func count(where filters: [MetadataFilter]) throws -> Int {
        filters.isEmpty ? count : try fulfilling(filters).count
    }

    private func fulfilling(_ filters: [MetadataFilter]) throws -> [EntryID] {
        let mask = try MetadataMask(filters, over: segments)
        let found = ids.filter { mask($0) }
        try mask.throwIfAny()
        return found
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
        let columns = try segment.columns(of: segment)
        switch columns.columns[name]?.codes[id.row] {
        case nil where columns.isComplete, MetadataColumns.Column.none: return nil
        case nil, MetadataColumns.Column.unkept: return try segment.entry(id.row).value(name)
        case let code?: return columns.columns[name]?.values[Int(code) - 1]
        }
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
    /// - Complexity: O(n) for n entries; the first call reads all metadata.
    public func facets() throws -> Facets {
        try prepareFilters()
        func counts(_ field: EntryField, _ part: (String) -> String = { $0 }) throws -> [Facets
            .Value]
        {
            var counts: [String: Int] = [:]
            for id in ids {
                guard let text = try value(of: field.rawValue, id)?.text else { continue }
                counts[text, default: 0] += 1
            }
            var sums: [String: Int] = [:]
            for (text, count) in counts { sums[part(text), default: 0] += count }
            return sums.map { Facets.Value(value: $0, count: $1) }
        }
        func frequent(_ values: [Facets.Value]) -> [Facets.Value] {
            Array(values.sorted { ($1.count, $0.value) < ($0.count, $1.value) }.prefix(Facets.most))
        }
        let years = try counts(.date) { String($0.prefix(4)) }
        return Facets(
            years: Array(years.sorted { $0.value > $1.value }.prefix(Facets.most)),
            cameras: frequent(try counts(.camera)), folders: frequent(try counts(.folder)),
            orientations: frequent(try counts(.orientation)))
    }
}
