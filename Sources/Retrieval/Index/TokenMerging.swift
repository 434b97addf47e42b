import Torch

/// Merges the most similar tokens of an image, which saves storage and time at some loss of
/// accuracy.
///
/// Alternate tokens form two halves. Each token of the first half is compared with all of the
/// second, and the most similar pairs are replaced by their averages, weighted by the number of
/// tokens that each represents (Bolya et al., "Token Merging", ICLR 2023). `[CLS]` never changes. A
/// round can at most halve the number of tokens, so several may be needed.
enum TokenMerging {
    /// Merges the tokens of each image.
    ///
    /// - Parameters:
    ///   - tokens: The tokens `[N, S, D]`, in single precision.
    ///   - count: The number of tokens to keep, from 2 to S.
    /// - Returns: The merged tokens `[N, count, D]`, and the number of tokens that each represents,
    ///   `[N, count]`.
    static func merge(_ tokens: Tensor, to count: Int) -> (tokens: Tensor, weights: Tensor) {
        precondition(
            count >= 2 && count <= tokens.size(1),
            "count must be from 2 to the number of tokens, not \(count)")
        var merged: [(tokens: Tensor, weights: [Float])] = []
        for image in 0..<tokens.size(0) {
            var (x, weights) = (tokens[image], [Float](repeating: 1, count: tokens.size(1)))
            while x.size(0) > count { (x, weights) = round(x, weights, target: count) }
            merged.append((x, weights))
        }
        return (
            Tensor.stacked(merged.map(\.tokens)),
            Tensor(merged.flatMap(\.weights), shape: [merged.count, count])
        )
    }

    /// Merges pairs of one image's tokens `[S, D]` in one round.
    private static func round(
        _ x: Tensor, _ weights: [Float], target: Int
    ) -> (Tensor, [Float]) {
        let size = x.size(0)
        let first = Array(stride(from: 1, to: size, by: 2))
        let second = Array(stride(from: 2, to: size, by: 2))
        let unit = x.normalized()
        let alike = unit[Tensor(first)].matmul(unit[Tensor(second)].transposed()).topK(1)
        let similarities: [Float] = alike.values.flattened().values()
        let partners: [Int] = alike.indices.flattened().values()
        let pairs = first.indices.sorted {
            (similarities[$1], $0) < (similarities[$0], $1)
        }.prefix(size - target)

        // Row t of the matrix holds the shares of the old tokens in new token t.
        var owner = Array(0..<size)
        for pair in pairs { owner[first[pair]] = second[partners[pair]] }
        var totals = [Float](repeating: 0, count: size)
        for token in 0..<size { totals[owner[token]] += weights[token] }
        let kept = (0..<size).filter { owner[$0] == $0 }
        let places = Dictionary(uniqueKeysWithValues: kept.enumerated().map { ($1, $0) })
        var shares = [Float](repeating: 0, count: kept.count * size)
        for token in 0..<size {
            guard let place = places[owner[token]] else { continue }
            shares[place * size + token] = weights[token] / totals[owner[token]]
        }
        return (
            Tensor(shares, shape: [kept.count, size]).matmul(x), kept.map { totals[$0] }
        )
    }
}
