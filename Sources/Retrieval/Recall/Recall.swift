public import Torch

/// An entry that recall proposes.
public struct Candidate: Sendable, Hashable {
    /// The entry.
    public let id: ForwardIndex.EntryID
    /// The cosine of the query's and the entry's features.
    public let similarity: Float
}

extension Candidate: Comparable {
    /// Orders nearer candidates first; ties keep the order of the index, so that searches are
    /// reproducible.
    public static func < (a: Candidate, b: Candidate) -> Bool {
        if a.similarity != b.similarity { return a.similarity > b.similarity }
        return (a.id.segment, a.id.row) < (b.id.segment, b.id.row)
    }
}

/// The method by which recall finds candidates.
public enum RecallMethod: String, Sendable, Hashable, CaseIterable {
    /// Compares all entries, which takes milliseconds for up to a million images.
    case exact
    /// Uses the graph from ``ForwardIndex/makeGraph(_:onProgress:)``, and may miss a few percent of
    /// the nearest entries.
    case graph
}

extension ForwardIndex {
    /// The reason why searches do not use the graph of the index and compare all entries
    /// instead; nil if the graph can be used, does not exist, or has not been searched yet.
    public var graphFault: String? {
        if manifest.graph != nil, graphRows == nil { return rowsFault.description }
        return graph?.fault?.description
    }

    /// Returns the entries whose features are nearest to a query's, nearest first.
    ///
    /// - Parameters:
    ///   - query: A unit-length feature `[E]`.
    ///   - count: The maximum number of entries to return.
    ///   - filters: Conditions on metadata, all of which must hold. With conditions all entries are
    ///     compared, because a graph leads only to near entries, which need not fulfil them.
    ///   - method: The method to use; nil to use the graph if the index has a usable one. See
    ///     ``graphFault``.
    /// - Throws: ``IndexError`` if an entry is damaged, or `method` requires a graph that does not
    ///   exist or cannot be used; ``QueryError`` if the query is not `E` finite numbers.
    /// - Complexity: O(n) for n entries, or about O(log n) with a graph. The first search with
    ///   conditions compares the metadata of all entries; see ``prepareFilters()``.
    public func recall(
        _ query: Tensor, count: Int, filters: [MetadataFilter] = [], method: RecallMethod? = nil
    ) throws -> [Candidate] {
        let width = manifest.model.embeddingWidth
        guard query.shape == [width] else { throw QueryError.shape(query.shape, width: width) }
        let query = try QuantizedQuery(query.to(.cpu).to(.float32).values())
        if method == .graph, graph == nil { throw IndexError.noGraph(directory) }
        let count = min(count, self.count)
        guard count > 0 else { return [] }
        guard filters.isEmpty else {
            let mask = try MetadataMask(filters, over: segments)
            return exact(query, count: count) { mask($0) }.run()
        }
        if let graph, method != .exact {
            do {
                if let found = try recall(query, count: count, by: graph) { return found }
            } catch is IndexError where method == nil {
                // ``graphFault`` contains the reason.
            }
        }
        return exact(query, count: count).run()
    }

    /// Opens the columns of metadata, so that the first search with conditions does not have to.
    ///
    /// The columns of segments that an earlier version wrote, and of images that were moved, are
    /// made from the entries. This snapshot and those that ``refreshed()`` derives from it keep
    /// them, in at most about one kilobyte per entry. ``compact(_:segmentByteCount:onProgress:)``
    /// writes them to the index.
    ///
    /// - Throws: ``IndexError`` if columns, or an entry from which they are made, are damaged.
    /// - Complexity: O(s) for s segments, and O(n) for n entries without columns.
    public func prepareFilters() throws {
        _ = try segments.concurrentMap { try $0.columns(of: $0) }
    }

    private var rowsFault: IndexError {
        .badGraph(
            GraphFile.path(manifest.graph?.name ?? "", in: directory),
            "the manifest assigns rows to it that the index does not have")
    }

    private func exact(
        _ query: QuantizedQuery, count: Int, from first: Int = 0,
        admits: @escaping @Sendable (EntryID) -> Bool = { _ in true }
    ) -> ExactRecall {
        ExactRecall(segments, from: first, query: query, count: count, admits: admits)
    }

    /// Returns the candidates from the graph together with the best of the entries that it does not
    /// cover, or nil if too many of its entries were removed.
    private func recall(
        _ query: QuantizedQuery, count: Int, by graph: LazyGraph
    ) throws -> [Candidate]? {
        guard let rows = graphRows else { throw rowsFault }
        let (living, total) = (rows.living, rows.labelCount)
        guard total > 0, living > 0 else { return nil }
        // Some of the candidates will be removed entries, so request more.
        let wanted = count + min(total - living, count)
        var found: [Candidate] = []
        for label in try graph().search(query.values, count: min(wanted, total)) {
            guard let id = rows[label], !segments[id.segment].removed.contains(id.row) else {
                continue
            }
            let similarity = segments[id.segment].product(id.row, query.values)
            if !similarity.isNaN { found.append(Candidate(id: id, similarity: similarity)) }
        }
        guard found.count >= min(count, living) else { return nil }
        let rest = exact(query, count: count, from: rows.segmentCount).run()
        return Array((found + rest).sorted().prefix(count))
    }
}
