import ImageText

/// What entries are ordered by.
public enum EntryOrder: String, Sendable, Hashable, CaseIterable {
    /// As they were indexed: a folder's images by their paths.
    case path
    /// The newest first, by ``EntryField/date``; images without a date come last.
    case date
    /// The oldest first; images without a date come last.
    case oldest = "-date"
}

extension ForwardIndex {
    /// The entries that fulfil conditions, in an order.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for n entries, O(n log n) by date. The first call with conditions or by date
    ///   reads all metadata; see ``prepareFilters()``.
    public func ids(
        where filters: [MetadataFilter], by order: EntryOrder = .path
    ) throws -> [EntryID] {
        let found = try filters.isEmpty ? ids : fulfilling(filters)
        return order == .path ? found : try sorted(found, by: order) { $0 }
    }

    /// How many entries fulfil conditions.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    public func count(where filters: [MetadataFilter]) throws -> Int {
        filters.isEmpty ? count : try fulfilling(filters).count
    }

    private func fulfilling(_ filters: [MetadataFilter]) throws -> [EntryID] {
        let mask = try MetadataMask(filters, over: segments)
        let found = ids.filter { mask($0) }
        try mask.throwIfAny()
        return found
    }

    /// Items by the dates of their entries; equal ones, and those without a date, keep their order.
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

    /// What an entry has under a name.
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

/// What the images of an index have in common, to choose conditions from.
public struct Facets: Sendable, Hashable, Codable {
    /// A value and how many images have it.
    public struct Value: Sendable, Hashable, Codable {
        /// The value.
        public let value: String
        /// How many images have it.
        public let count: Int

        /// A value that some images have.
        package init(value: String, count: Int) {
            self.value = value
            self.count = count
        }
    }

    /// Years in which images were taken, the newest first.
    public let years: [Value]
    /// Cameras, the most frequent first, as the rest.
    public let cameras: [Value]
    /// Folders that images are in.
    public let folders: [Value]
    /// `landscape`, `portrait` and `square`.
    public let orientations: [Value]

    /// The most values of a kind.
    public static let most = 100
}

extension ForwardIndex {
    /// What the images have in common.
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
