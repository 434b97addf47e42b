public import Torch

/// An entry that recall proposes.
public struct Candidate: Sendable, Hashable {
    /// The entry.
    public let id: ForwardIndex.EntryID
    /// Cosine of the query's and the entry's features.
    public let similarity: Float
}

extension Candidate: Comparable {
    /// Nearer first; ties keep the order of the index, so that a search is reproducible.
    public static func < (a: Candidate, b: Candidate) -> Bool {
        if a.similarity != b.similarity { return a.similarity > b.similarity }
        return (a.id.segment, a.id.row) < (b.id.segment, b.id.row)
    }
}

/// How recall goes about it.
public enum RecallMethod: String, Sendable, Hashable, CaseIterable {
    /// Compares everything: milliseconds up to a million images.
    case exact
    /// Follows the graph that ``ForwardIndex/makeGraph(_:onProgress:)`` made: may miss a few in a
    /// hundred.
    case graph
}

extension ForwardIndex {
    /// Why the graph of the index cannot be followed, so that searches compare everything instead;
    /// nil if it can be, there is none, or it was not searched yet.
    public var graphFault: String? {
        if manifest.graph != nil, graphRows == nil { return rowsFault.description }
        return graph?.fault?.description
    }

    /// The entries whose features are nearest to a query's, nearest first.
    ///
    /// - Parameters:
    ///   - query: a unit-length feature `[E]`.
    ///   - count: how many to return at most.
    ///   - filters: conditions on their metadata, all of which have to hold. With any, everything is
    ///     compared: a graph leads to what is near, not to what fulfils them.
    ///   - method: nil follows the graph where there is one that can be followed; see
    ///     ``graphFault``.
    /// - Throws: ``IndexError`` if an entry is damaged, or there is no graph to follow although
    ///   `method` asks for one; ``QueryError`` if the query is not `E` finite numbers.
    /// - Complexity: O(n) for n entries; about O(log n) with a graph. The first search with
    ///   conditions reads all metadata; see ``prepareFilters()``.
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
            let found = exact(query, count: count) { mask($0) }.run()
            try mask.throwIfAny()
            return found
        }
        if let graph, method != .exact {
            do {
                if let found = try recall(query, count: count, by: graph) { return found }
            } catch is IndexError where method == nil {
                // `graphFault` says why.
            }
        }
        return exact(query, count: count).run()
    }

    /// Reads the metadata of all entries, so that the first search with conditions need not.
    ///
    /// What was read is kept, by this snapshot and those that ``refreshed()`` makes of it, in at most
    /// about a kilobyte per entry.
    ///
    /// - Throws: ``IndexError`` if an entry is damaged.
    /// - Complexity: O(n) for the n entries that were not read before.
    public func prepareFilters() throws {
        _ = try MetadataMask([], over: segments)
    }

    private var rowsFault: IndexError {
        .badGraph(
            GraphFile.path(manifest.graph?.name ?? "", in: directory),
            "the manifest says rows that the index does not have")
    }

    private func exact(
        _ query: QuantizedQuery, count: Int, from first: Int = 0,
        admits: @escaping @Sendable (EntryID) -> Bool = { _ in true }
    ) -> ExactRecall {
        ExactRecall(segments, from: first, query: query, count: count, admits: admits)
    }

    /// What the graph leads to, together with the best of what it does not know; nil if too much of
    /// that was removed.
    private func recall(
        _ query: QuantizedQuery, count: Int, by graph: LazyGraph
    ) throws -> [Candidate]? {
        guard let rows = graphRows else { throw rowsFault }
        let (living, total) = (rows.living, rows.labelCount)
        guard total > 0, living > 0 else { return nil }
        // Some of what is found will have been removed.
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
