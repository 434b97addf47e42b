import Torch

/// Finds images that look nearly the same: saved again, resized, cropped a little, or the next of a
/// burst.
struct NearDuplicates {
    /// The cosine of two images' features from which on they count as nearly the same.
    ///
    /// Measured with the model that comes with the program: see Documentation/search.md.
    static let cosine: Float = 0.95

    /// How many candidates to look at, so that enough are left when some are folded.
    static func looked(for count: Int) -> Int { min(4 * count, count + 200) }

    private let index: ForwardIndex

    init(_ index: ForwardIndex) { self.index = index }

    /// Joins results that look nearly the same as a better placed one, which stands for them.
    ///
    /// Texts that are alike may mean something else: only those whose features are equal but for
    /// rounding are joined.
    ///
    /// - Parameters:
    ///   - positions: places of the results among the candidates, best first.
    ///   - ids: the candidates.
    /// - Returns: those that stay, each with the places of those that it stands for.
    /// - Throws: ``IndexError`` if an entry belongs to another snapshot.
    /// - Complexity: O(n · m · E) for n results, of which m stay, and E numbers a feature.
    func folded(
        _ positions: [Int], of ids: [ForwardIndex.EntryID]
    ) throws -> [(position: Int, duplicates: [Int]?)] {
        guard !positions.isEmpty else { return [] }
        let features = try index.features(positions.map { ids[$0] })
        let count = positions.count
        let cosines: [Float] = features.matmul(features.transposed()).values()
        let least = index.content == .images ? Self.cosine : 0.9999
        var kept: [(row: Int, duplicates: [Int])] = []
        for row in 0..<count {
            if let place = kept.firstIndex(where: { cosines[row * count + $0.row] >= least }) {
                kept[place].duplicates.append(positions[row])
            } else {
                kept.append((row, []))
            }
        }
        return kept.map { (positions[$0.row], $0.duplicates) }
    }
}
