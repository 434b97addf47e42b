import SystemPackage

extension SampleRetrieval {
    /// What a text finds, by its scores with every image.
    ///
    /// - Parameters:
    ///   - right: the index of the image it was written for.
    ///   - paths: the images.
    ///   - cosines: similarities, one an image.
    ///   - scores: what candidates are ranked by, -100 where the fusion encoder did not read the pair;
    ///     nil where it read none.
    ///   - depth: images listed of each order.
    ///   - probabilities: gives the probability of a match for some images.
    init(
        query: String, right: Int, paths: [FilePath], cosines: [Float], scores: [Float]?,
        depth: Int,
        probabilities: ([Int]) throws -> [Double]
    ) rethrows {
        // Of equal scores the higher index comes first, as `RecallMetrics` counts.
        let recall = paths.indices.sorted { (cosines[$0], $0) > (cosines[$1], $1) }
        let recallRanks = Self.ranks(recall)
        let order = scores.map { scores in
            paths.indices.sorted {
                (scores[$0], cosines[$0], $0) > (scores[$1], cosines[$1], $1)
            }
        }
        let ranks = order.map(Self.ranks) ?? recallRanks
        var listed = Array(recall.prefix(depth))
        for image in (order ?? []).prefix(depth) where !listed.contains(image) {
            listed.append(image)
        }
        // What the fusion encoder did not read has no probability.
        let read = scores.map { scores in listed.filter { scores[$0] > -100 } } ?? []
        let matches = Dictionary(
            uniqueKeysWithValues: zip(read, read.isEmpty ? [] : try probabilities(read)))
        self.init(
            query: query, rightPath: paths[right].string, recallRank: recallRanks[right],
            rerankedRank: order == nil ? nil : ranks[right],
            results: listed.map { image in
                Result(
                    path: paths[image].string, similarity: Double(cosines[image]),
                    matchProbability: matches[image],
                    score: matches[image].flatMap { _ in scores.map { Double($0[image]) } },
                    recallRank: recallRanks[image],
                    rank: ranks[image], isRight: image == right)
            })
    }

    /// The place of each index in an order, from 1.
    private static func ranks(_ order: [Int]) -> [Int] {
        var ranks = [Int](repeating: 0, count: order.count)
        for (place, index) in order.enumerated() { ranks[index] = place + 1 }
        return ranks
    }
}
