import Dispatch

/// The entries that fulfil conditions; each condition is compared only once with each distinct
/// value.
struct MetadataMask: Sendable {
    /// One condition in one segment.
    private struct Test {
        /// The codes of the rows; nil if no row has the name, or the entries must be read.
        let codes: [UInt32]?
        /// The result for each value, by its code; if ``codes`` is nil, the result for all rows.
        let verdicts: [Bool]

        init(_ filter: MetadataFilter, _ columns: MetadataColumns) {
            let column = columns.columns[filter.name]
            codes = column?.codes
            verdicts =
                column == nil && !columns.isComplete
                ? [] : [filter.holds(nil)] + (column?.values ?? []).map { filter.holds($0) }
        }

        /// Returns whether a row fulfils the condition, or nil if its entry must be read.
        func callAsFunction(_ row: Int) -> Bool? {
            let code = Int(codes?[row] ?? MetadataColumns.Column.none)
            return verdicts.indices.contains(code) ? verdicts[code] : nil
        }
    }

    private let filters: [MetadataFilter]
    private let segments: [IndexSegment]
    private let tests: [[Test]]
    private let damage = FirstError()

    /// Compares conditions with the values of segments, and first reads their metadata on all
    /// threads if necessary.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    init(_ filters: [MetadataFilter], over segments: [IndexSegment]) throws {
        self.filters = filters
        self.segments = segments
        let damage = damage
        DispatchQueue.concurrentPerform(iterations: segments.count) { position in
            do { _ = try segments[position].columns(of: segments[position]) } catch {
                damage.keep(error)
            }
        }
        try damage.throwIfAny()
        tests = try segments.map { segment in
            let columns = try segment.columns(of: segment)
            return filters.map { Test($0, columns) }
        }
    }

    /// Returns whether an entry fulfils all conditions.
    func callAsFunction(_ id: ForwardIndex.EntryID) -> Bool {
        for test in tests[id.segment] {
            guard let holds = test(id.row) else { return entryFulfils(id) }
            guard holds else { return false }
        }
        return true
    }

    /// Throws the first error that occurred when an entry was read.
    func throwIfAny() throws { try damage.throwIfAny() }

    /// Evaluates the conditions on the entry itself.
    private func entryFulfils(_ id: ForwardIndex.EntryID) -> Bool {
        do {
            let entry = try segments[id.segment].entry(id.row)
            return filters.allSatisfy { $0(entry) }
        } catch {
            damage.keep(error)
            return false
        }
    }
}
