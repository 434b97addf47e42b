import Torch

/// Finds nearly identical images: saved again, resized, cropped slightly, or from one burst.
struct NearDuplicates {
    /// The cosine of two images' features from which they count as nearly identical.
    ///
    /// It was measured with the shipped model; see Documentation/search.md.
    static let cosine: Float = 0.95

    /// Returns the number of candidates to examine, so that enough remain after folding.
    static func looked(for count: Int) -> Int { min(4 * count, count + 200) }

    private let index: ForwardIndex

    init(_ index: ForwardIndex) { self.index = index }

    /// Folds results that are nearly identical into the best-ranked one.
    ///
    /// Similar texts may have different meanings, so texts are folded only if their features are
    /// equal up to rounding.
    ///
    /// - Parameters:
    ///   - ids: The results, best first.
    ///   - limit: The maximum number of results to keep.
    /// - Returns: The rows to keep, each with the rows folded into it, and the number of leading
    ///   rows that these cover. One more row would exceed the limit.
    /// - Throws: ``IndexError`` if an entry belongs to another snapshot.
    /// - Complexity: O(n² · E) for n results and features of length E.
    func folded(
        _ ids: [ForwardIndex.EntryID], atMost limit: Int
    ) throws -> (kept: [(row: Int, duplicates: [Int])], count: Int) {
        guard !ids.isEmpty else { return ([], 0) }
        let features = try index.features(ids)
        let count = ids.count
        let cosines: [Float] = features.matmul(features.transposed()).values()
        let least = index.content == .images ? Self.cosine : 0.9999
        var kept: [(row: Int, duplicates: [Int])] = []
        for row in 0..<count {
            if let place = kept.firstIndex(where: { cosines[row * count + $0.row] >= least }) {
                kept[place].duplicates.append(row)
            } else if kept.count == limit {
                return (kept, row)
            } else {
                kept.append((row, []))
            }
        }
        return (kept, count)
    }
}
