import SystemPackage

extension SampleRetrieval {
    /// Ranks all images for a text.
    ///
    /// - Parameters:
    ///   - query: The text.
    ///   - right: The index of the image that the text was written for.
    ///   - paths: The files of all images.
    ///   - cosines: The similarity of each image.
    ///   - scores: The score by which each candidate is ranked, -100 if the fusion encoder did not
    ///     read the pair; nil if nothing was re-ranked.
    ///   - depth: The number of images to list from each order.
    ///   - probabilities: Returns the match probabilities of the images with the given indices.
    init(
        query: String, right: Int, paths: [FilePath], cosines: [Float], scores: [Float]?,
        depth: Int,
        probabilities: ([Int]) throws -> [Double]
    ) rethrows {
        // Among equal scores the higher index comes first, as `RecallMetrics` counts.
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
        // Images that the fusion encoder did not read have no probability.
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

    /// Returns the rank of each index in an order, from 1.
    private static func ranks(_ order: [Int]) -> [Int] {
        var ranks = [Int](repeating: 0, count: order.count)
        for (place, index) in order.enumerated() { ranks[index] = place + 1 }
        return ranks
    }
}
