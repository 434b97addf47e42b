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

extension ForwardIndex {
    /// The pictures whose features are nearest to a query's, nearest first: exact recall.
    ///
    /// - Parameters:
    ///   - query: a unit-length feature `[E]`.
    ///   - count: how many to return at most.
    ///   - filters: conditions on their metadata, all of which have to hold.
    /// - Throws: ``IndexError`` if an entry is damaged.
    public func recall(
        _ query: Tensor, count: Int, filters: [MetadataFilter] = []
    ) throws -> [Candidate] {
        guard !filters.isEmpty else {
            return ExactRecall(segments, query: query, count: count).run()
        }
        let damage = FirstError()
        let candidates = ExactRecall(segments, query: query, count: count) { id in
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
}
