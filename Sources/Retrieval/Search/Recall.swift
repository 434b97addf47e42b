import Torch

/// A picture that recall proposes.
struct Candidate: Sendable, Hashable {
    let id: ForwardIndex.EntryID
    /// Cosine of the query's and the picture's features.
    let similarity: Float
}

extension ForwardIndex {
    /// The pictures whose features are nearest to a query's, nearest first: exact recall.
    ///
    /// - Parameters:
    ///   - query: a unit-length feature `[E]`.
    ///   - count: how many to return at most.
    func recall(_ query: Tensor, count: Int) -> [Candidate] {
        var best: [Candidate] = []
        for (position, segment) in segments.enumerated() where !segment.entries.isEmpty {
            var similarities = segment.features.matmul(query)
            if !segment.removed.isEmpty {
                similarities[Tensor(segment.removed.sorted())] = .full([], -.infinity)
            }
            let top = similarities.topK(min(count, segment.entries.count))
            let rows = top.indices.values(as: Int.self)
            for (row, similarity) in zip(rows, top.values.values(as: Float.self))
            where similarity > -.infinity {
                let id = EntryID(segment: position, row: row)
                best.append(Candidate(id: id, similarity: similarity))
            }
        }
        // Ties keep the order of the index, so that a search is reproducible.
        best.sort {
            if $0.similarity != $1.similarity { return $0.similarity > $1.similarity }
            return ($0.id.segment, $0.id.row) < ($1.id.segment, $1.id.row)
        }
        return Array(best.prefix(count))
    }
}
