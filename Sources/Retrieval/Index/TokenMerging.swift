import Torch

/// Merges the most similar tokens of an image: fewer to store and to read, at some loss.
///
/// Tokens are split into two halves by turns; each of the first half is compared with all of the
/// second, and the most similar pairs become one token, their average by the number that each stands
/// for (Bolya et al., "Token Merging", ICLR 2023). `[CLS]` is kept as it is. As every round can at
/// most halve their number, there are several.
enum TokenMerging {
    /// - Parameters:
    ///   - tokens: `[N, S, D]`, single precision.
    ///   - count: how many to keep, from 2 to S.
    /// - Returns: tokens `[N, count, D]` and how many each stands for, `[N, count]`.
    static func merge(_ tokens: Tensor, to count: Int) -> (tokens: Tensor, weights: Tensor) {
        precondition(count >= 2 && count <= tokens.size(1), "2 tokens at least")
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

    /// One round over the tokens `[S, D]` of an image.
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

        // Row t of the matrix gives token t's share of each new token.
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
