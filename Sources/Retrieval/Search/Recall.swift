public import Torch

/// A picture that recall proposes.
public struct Candidate: Sendable, Hashable {
    /// The entry.
    public let id: ForwardIndex.EntryID
    /// Cosine of the query's and the picture's features.
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
    /// Compares everything: milliseconds up to a million pictures.
    case exact
    /// Follows the graph that ``ForwardIndex/makeGraph(_:onProgress:)`` made: may miss a few in a
    /// hundred.
    case graph
}

extension ForwardIndex {
    /// The pictures whose features are nearest to a query's, nearest first.
    ///
    /// - Parameters:
    ///   - query: a unit-length feature `[E]`.
    ///   - count: how many to return at most.
    ///   - filters: conditions on their metadata, all of which have to hold. With any, everything is
    ///     compared: a graph leads to what is near, not to what fulfils them.
    ///   - method: nil follows the graph where there is one.
    /// - Throws: ``IndexError`` if an entry or the graph is damaged, or there is no graph to follow.
    public func recall(
        _ query: Tensor, count: Int, filters: [MetadataFilter] = [], method: RecallMethod? = nil
    ) throws -> [Candidate] {
        if method == .graph, graph == nil { throw IndexError.noGraph(directory) }
        guard filters.isEmpty else { return try recall(query, count: count, matching: filters) }
        if let graph, method != .exact,
            let found = try recall(query, count: count, by: graph)
        {
            return found
        }
        return exact(query, count: count).run()
    }

    private func exact(
        _ query: Tensor, count: Int, from first: Int = 0,
        admits: @escaping @Sendable (EntryID) -> Bool = { _ in true }
    ) -> ExactRecall {
        ExactRecall(segments, from: first, query: query, count: count, admits: admits)
    }

    private func recall(
        _ query: Tensor, count: Int, matching filters: [MetadataFilter]
    ) throws -> [Candidate] {
        let damage = FirstError()
        let candidates = exact(query, count: count) { id in
            do {
                let metadata = try entry(id).metadata
                return filters.allSatisfy { $0(metadata) }
            } catch {
                damage.keep(error)
                return false
            }
        }.run()
        try damage.throwIfAny()
        return candidates
    }

    /// What the graph leads to, together with the best of what it does not know; nil if too much of
    /// that was removed.
    private func recall(
        _ query: Tensor, count: Int, by graph: LazyGraph
    ) throws -> [Candidate]? {
        let known = graph.record.segments.count
        let removed = segments[..<known].reduce(0) { $0 + $1.removed.count }
        let living = segments[..<known].reduce(0) { $0 + $1.count } - removed
        // Some of what is found will have been removed.
        let wanted = count + min(removed, count)
        let values: [Float] = query.to(.cpu).to(.float32).values()
        var starts: [Int] = []
        var total = 0
        for segment in segments[..<known] {
            starts.append(total)
            total += segment.count
        }
        guard total > 0 else { return nil }
        let labels = try graph().search(values, count: min(wanted, total))
        var found: [Candidate] = []
        for label in labels {
            // The last segment that starts at or before the label.
            let position = (starts.firstIndex { $0 > label } ?? known) - 1
            let row = label - starts[position]
            guard !segments[position].removed.contains(row) else { continue }
            found.append(
                Candidate(
                    id: EntryID(segment: position, row: row),
                    similarity: segments[position].product(row, values)))
        }
        guard found.count >= min(count, living) else { return nil }
        let rest = exact(query, count: count, from: known).run()
        return Array((found + rest).sorted().prefix(count))
    }
}
